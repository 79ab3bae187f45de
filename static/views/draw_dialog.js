// @ts-check
/**
 * "Check the draw": what was published is fetched and computed again, here in the browser, and held against what this
 * browser has kept. It says what that proves, and what it does not.
 *
 * @typedef {import('../state/draw_checks.js').DrawDocument} DrawDocument
 * @typedef {import('../state/draw_checks.js').Outcome} Outcome
 * @typedef {import('../state/draw_checks.js').SignedReceipt} SignedReceipt
 */

import { ApiError, api } from '../api.js';
import { fill, h, icon } from '../dom.js';
import { checkDraw } from '../state/draw_checks.js';
import { formatMoment } from '../state/times.js';
import { T } from '../texts.js';
import { sentenceOf } from './states.js';

/**
 * @param {string} eventId
 * @param {{kept: import('./kept.js').Kept, isSignedIn: boolean}} visitor
 * @param {AbortSignal} pageSignal
 */
export async function showDraw(eventId, { kept, isSignedIn }, pageSignal) {
  const life = new AbortController();
  const body = h('div.draw-body', { 'aria-live': 'off' });
  const close = h('button.button.quiet', { type: 'submit' }, T.close);
  const dialog = h('dialog.dialog.draw', { 'aria-labelledby': 'draw-title', 'data-draw': 'loading' },
    h('form', { method: 'dialog' }, h('h2', { id: 'draw-title', tabindex: -1, autofocus: true }, T.draw.title), body, h('div.dialog-buttons', null, close)));
  dialog.addEventListener('close', () => {
    life.abort();
    dialog.remove();
  });
  pageSignal.addEventListener('abort', () => dialog.close(), { once: true });
  document.body.append(dialog);
  dialog.showModal();

  const bar = h('progress', { max: 1, value: 0, 'aria-label': T.draw.computing });
  fill(body, h('p', null, T.draw.computing), bar);
  try {
    const published = await api.draw(eventId, life.signal);
    const receipt = kept.receipt ?? (isSignedIn && published.status === 'drawn' ? await receiptNow(eventId) : null);
    const found = await checkDraw(published, { receipt, earlier: kept.earlier }, (share) => showing(bar, share), life.signal);
    dialog.dataset['draw'] = found.some(({ faults }) => faults.length > 0) ? 'broken' : published.status;
    fill(body, ...report(published, found, receipt, kept.receipt !== null));
  } catch (problem) {
    if (life.signal.aborted) return;
    const isNone = problem instanceof ApiError && problem.code === 'no_draw';
    dialog.dataset['draw'] = isNone ? 'none' : 'failed';
    fill(body, h('p', { role: 'alert' }, isNone ? T.draw.none : !isSecureContext ? T.draw.insecure : problem instanceof ApiError ? sentenceOf(problem) : T.draw.unreadable));
  }
}

/** @param {string} eventId @returns {Promise<SignedReceipt | null>} null: no entry */
async function receiptNow(eventId) {
  try {
    return await api.drawReceipt(eventId);
  } catch (problem) {
    if (problem instanceof ApiError && problem.code === 'no_entry') return null;
    throw problem;
  }
}

/**
 * @param {DrawDocument} published @param {Outcome[]} found @param {SignedReceipt | null} receipt
 * @param {boolean} isKept the receipt is the one that this browser kept
 * @returns {(HTMLElement | null)[]}
 */
function report(published, found, receipt, isKept) {
  const isBroken = found.some(({ faults }) => faults.length > 0);
  const isDrawn = published.status === 'drawn';
  const place = isDrawn && !isBroken && receipt ? published.places[published.entries.indexOf(receipt.entry_id)] : undefined;
  return [
    h('div.verdict', { role: 'status', 'data-verdict': isBroken ? 'broken' : isDrawn ? 'sound' : 'open' },
      icon(isBroken ? 'warning' : isDrawn ? 'check' : 'clock'),
      h('div', null, h('b', null, isBroken ? T.draw.broken : isDrawn ? T.draw.sound : published.status === 'nobody_joined' ? T.draw.nobody : T.draw.open),
        h('p', null, isBroken ? T.draw.brokenText : isDrawn ? T.draw.soundText(published.count) : published.status === 'nobody_joined' ? T.draw.nobodyText : published.status === 'awaiting_beacon' ? T.draw.awaiting : T.draw.openText))),
    place === undefined ? null : h('p.own-place', { 'data-own-place': place }, T.draw.ownPlace(place, published.count)),
    h('ul.checks', { role: 'list' }, found.map((one) => checkItem(one, published, isKept))),
    h('h3', null, T.draw.doesNotProve),
    h('ul.limits', null,
      h('li', { 'data-beacon': published.beacon ? 'yes' : 'none' }, published.beacon ? T.draw.withBeacon(published.beacon.round ?? 0, published.beacon.url) : T.draw.noBeacon),
      h('li', null, T.draw.invented),
      h('li', null, T.draw.laterLine)),
    h('details.figures', null, h('summary', null, T.draw.figures),
      h('dl', null,
        figure(T.draw.entries, published.count.toLocaleString(document.documentElement.lang)),
        figure(T.draw.opened, formatMoment(published.opened_at)),
        published.closed_at ? figure(T.draw.closed, formatMoment(published.closed_at)) : null,
        figure(T.draw.commitment, published.commitment),
        figure(T.draw.head, published.last_head.head),
        published.operator_seed ? figure(T.draw.seed, published.operator_seed) : null,
        receipt ? figure(T.draw.ownEntry, receipt.entry_id) : null),
      h('p', null, h('a', { href: `/api/v1/queue/${published.event_id}/draw`, target: '_blank', rel: 'noopener' }, T.draw.raw))),
  ];
}

/** @param {Outcome} outcome @param {DrawDocument} published @param {boolean} isKept @returns {HTMLElement} */
function checkItem({ check, faults, isSkipped }, published, isKept) {
  const state = faults.length > 0 ? 'bad' : isSkipped ? 'skipped' : 'good';
  const words = T.draw.checks[check];
  const ownEntry = published.status === 'lobby' ? T.draw.receiptBefore : isKept ? words.good : T.draw.receiptNotKept;
  const said = faults.length > 0 ? faults.map((code) => T.draw.faults[code]) : [isSkipped ? words.skipped : check === 'receipt' ? ownEntry : words.good];
  return h('li', { 'data-check': check, 'data-state': state, 'data-faults': faults.join(' ') },
    h('span.check-mark', { role: 'img', 'aria-label': T.draw.states[state] }, icon(state === 'good' ? 'check' : state === 'bad' ? 'close' : 'minus')),
    h('div', null, h('b', null, words.title), said.map((/** @type {string} */ sentence) => h('p', null, sentence))));
}

/** @param {string} name @param {string} value @returns {HTMLElement} */
function figure(name, value) {
  return h('div', null, h('dt', null, name), h('dd', null, value));
}

/** Show how far it is, and leave the page time for anything else. @param {HTMLProgressElement} bar @param {number} share */
async function showing(bar, share) {
  bar.value = share;
  await new Promise((resume) => setTimeout(resume));
}
