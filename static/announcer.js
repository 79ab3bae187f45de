// @ts-check
/**
 * What is said to everybody: short notes at the edge of the page, and a voice for screen readers.
 *
 * The voice speaks at most once in two seconds, and then the newest of what waits; urgent words are never dropped.
 */

import { h, icon } from './dom.js';
import { T } from './texts.js';

const PAUSE_MS = 2_000;
const NOTE_MS = 6_000;
const NOTES_MOST = 3;

const voice = h('div.unseen', { role: 'status', 'aria-live': 'polite', id: 'voice' });
const echoed = h('div.unseen', { role: 'status', 'aria-live': 'polite', id: 'echo' });
const notes = h('section.notes', { id: 'notes', 'aria-label': T.notes });
/** @type {{text: string, isUrgent: boolean}[]} */
let waiting = [];
let spokenAt = -Infinity;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @returns {HTMLElement[]} the elements to put into the page once */
export function announcerElements() {
  return [voice, echoed, notes];
}

/** @param {string} text @param {{isUrgent?: boolean}} [options] */
export function say(text, { isUrgent = false } = {}) {
  waiting = waiting.filter((other) => other.isUrgent);
  waiting.push({ text, isUrgent });
  if (timer === undefined) timer = setTimeout(speak, Math.max(0, spokenAt + PAUSE_MS - performance.now()));
}

/**
 * Say at once what the visitor's own key has reached: whoever steps from seat to seat cannot wait two seconds.
 *
 * @param {string} text
 */
export function echo(text) {
  echoed.textContent = text;
}

/**
 * Show a note, and say it. One that offers something stays until it is answered, closed, or its page is left.
 *
 * @param {string} text
 * @param {'info' | 'good' | 'warn'} [kind]
 * @param {{label: string, act: () => void, signal: AbortSignal} | null} [offer]
 * @returns {() => void} takes the note away
 */
export function note(text, kind = 'info', offer = null) {
  say(offer ? `${text} ${offer.label}?` : text, { isUrgent: true });
  const remove = () => element.remove();
  const act = () => {
    remove();
    offer?.act();
  };
  const element = h(`div.note.${kind}`, { 'data-note': kind },
    icon(kind === 'warn' ? 'warning' : 'check'),
    h('span', null, text),
    offer ? h('button.note-offer', { type: 'button', onclick: act }, offer.label) : null,
    h('button.icon-button', { type: 'button', 'aria-label': T.close, onclick: remove }, icon('close')),
  );
  notes.append(element);
  while (notes.childElementCount > NOTES_MOST) notes.firstElementChild?.remove();
  if (offer) offer.signal.addEventListener('abort', remove);
  else setTimeout(remove, NOTE_MS + text.length * 30);
  return remove;
}

function speak() {
  timer = undefined;
  const text = waiting.map((one) => one.text).join(' ');
  waiting = [];
  if (!text) return;
  // The same words twice are spoken twice only if the element changes.
  voice.textContent = voice.textContent === text ? `${text}\u00a0` : text;
  spokenAt = performance.now();
}
