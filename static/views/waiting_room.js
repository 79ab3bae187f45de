// @ts-check
/**
 * The waiting room of an event: the lobby before the draw, the line, and whose turn it is. It stands in the basket's
 * place; the map stays to be looked at.
 *
 * @typedef {import('../api.js').Event} Event
 * @typedef {import('../state/protocol.js').Command} Command
 * @typedef {import('../state/protocol.js').Message} Message
 * @typedef {import('../state/line.js').News} News
 * @typedef {import('../state/line.js').SaleStatus} SaleStatus
 * @typedef {import('../state/line.js').Stage} Stage
 *
 * @typedef {object} Desk
 * @property {() => number} now the server's time
 * @property {() => SaleStatus} status
 * @property {(command: Command) => void} send
 * @property {() => boolean} isAsked whether joining waits for its answer
 * @property {() => void} onChange something looks different now
 * @property {import('./remembered.js').Memory} memory
 * @property {AbortSignal} signal
 */

import { note, say } from '../announcer.js';
import { api } from '../api.js';
import { h, icon } from '../dom.js';
import { go, setTitle } from '../router.js';
import { session } from '../session.js';
import { Line, isMilestone } from '../state/line.js';
import { formatMoment } from '../state/times.js';
import { T } from '../texts.js';
import { chime, enableSound } from './chime.js';
import { Countdown } from './countdown.js';
import { ask } from './dialogs.js';
import { showDraw } from './draw_dialog.js';
import { Joining } from './joining.js';
import { kept, partsToKeep } from './kept.js';
import { startsClock } from './sale_status.js';
import { signInPath } from './sign_page.js';

const ADMISSION_MS = 900_000;
const MINUTES_FROM_S = 90;

export class WaitingRoom {
  /** @param {Event} event @param {Desk} desk */
  constructor(event, desk) {
    this._event = event;
    this._desk = desk;
    this._line = new Line({ hasRoom: event.waiting_room_enabled, mode: event.waiting_room_mode });
    this._kept = kept(event.id, '');
    this._joining = new Joining(event.id, desk);
    this._isSignedIn = false;
    this._saidAhead = Infinity;
    this._starts = startsClock(desk.now, desk.signal);
    const words = { label: T.line.turnLeft, minutesLeft: T.line.minutesLeft, secondsLeft: T.line.secondsLeft, wholeMs: ADMISSION_MS };
    this._turn = new Countdown(desk.now, (text) => say(text, { isUrgent: true }), words);
    desk.signal.addEventListener('abort', () => this._turn.stop());
  }

  /** @param {{id: string} | null} user who is connected */
  welcome(user) {
    this._isSignedIn = user !== null;
    this._kept = kept(this._event.id, user?.id ?? '');
    const { hasRoom, mode } = this._line;
    this._line = new Line({ hasRoom, mode }, this._kept.place);
  }

  /** @param {Message} message */
  receive(message) {
    const aheadBefore = this._line.ahead;
    for (const news of this._line.receive(message)) this._tell(news);
    if (message.type === 'queue' || (message.type === 'accepted' && message.queue)) this._onPlace();
    if (this.stage === 'waiting' && isMilestone(Math.min(this._saidAhead, aheadBefore + 1), this._line.ahead)) {
      this._saidAhead = this._line.ahead;
      say(T.line.ahead(this._line.ahead));
    }
  }

  /** @returns {Stage} */
  get stage() {
    return this._line.stage(this._desk.status(), this._desk.now());
  }

  /** Nobody holds seats before their turn: who wants to is shown the way in. @returns {boolean} it is not their turn */
  turnsAway() {
    const { stage } = this;
    if (stage === 'in' || stage === 'none' || stage === 'sold_out') return false;
    if (stage.startsWith('enter')) this.join();
    else note(T.line.notYet);
    return true;
  }

  join() {
    if (this._isSignedIn) return this._joining.join();
    this._desk.memory.joinAsked = true;
    go(signInPath());
  }

  /** @param {Command} command @param {string} code @returns {boolean} whether it is one that is dealt with here */
  refused(command, code) {
    return this._joining.refused(command, code);
  }

  /** @returns {Promise<void>} */
  async _leave() {
    const words = { title: T.line.leaveTitle, text: T.line.leaveText, yes: T.line.leaveYes, no: T.line.leaveNo, isDanger: true };
    if (!(await ask(words, this._desk.signal))) return;
    this._line.leaves();
    this._desk.send({ type: 'leave_queue', id: crypto.randomUUID() });
  }

  _onPlace() {
    const { place } = this._line;
    this._kept.place = place?.status === 'waiting' ? place.place : null;
    if (place?.status === 'lobby' && !this._kept.receipt) void this._keepReceipt();
    const { memory } = this._desk;
    if (memory.joinAsked && this._isSignedIn) {
      memory.joinAsked = false;
      if (this.stage.startsWith('enter')) this.join();
    }
  }

  /** The receipt, and what is published now, are kept here: later they are held against the draw. */
  async _keepReceipt() {
    const mine = this._kept;
    try {
      mine.receipt = await api.drawReceipt(this._event.id);
      this._desk.onChange();
      mine.earlier = partsToKeep(await api.draw(this._event.id));
    } catch (problem) {
      console.warn(problem);
    }
  }

  /** @param {News} news */
  _tell(news) {
    if (news === 'turn') {
      note(T.line.turnCame, 'good');
      if (this._kept.hasSound) chime();
    } else if (news === 'joined' || news === 'left' || news === 'drawn') say(T.line.news[news], { isUrgent: true });
    else note(T.line.news[news], 'warn');
    if (news === 'joined' || news === 'drawn') this._saidAhead = Infinity;
  }

  // What is shown

  /** @returns {{panel: HTMLElement | null, turn: HTMLElement | null}} `panel`: in place of a sale. `turn`: above it. */
  show() {
    const { stage } = this;
    this._showTitle(stage);
    if (stage === 'in') return { panel: null, turn: this._turnElement() };
    if (stage === 'none' || stage === 'sold_out') return { panel: null, turn: null };
    return { panel: this._panel(stage), turn: null };
  }

  /** @param {Stage} stage */
  _showTitle(stage) {
    const { name } = this._event;
    if (stage === 'waiting') setTitle(T.line.tabWaiting(this._line.ahead + 1, name));
    else if (stage === 'in' && this._line.place?.admitted_until_ms) setTitle(T.line.tabTurn(name));
    else setTitle(name);
  }

  /** @returns {HTMLElement | null} */
  _turnElement() {
    const until = this._line.place?.admitted_until_ms ?? null;
    if (until === null) return null;
    this._turn.until(until);
    return h('section.turn', { 'data-line': 'in', 'aria-label': T.line.turnTitle },
      h('div.held-top', null, this._turn.element, this._leaveButton(T.line.leaveTurn)),
      h('p.hint', null, T.line.turnHint), this._drawButton());
  }

  /** @param {Exclude<Stage, 'in' | 'none' | 'sold_out'>} stage @returns {HTMLElement} */
  _panel(stage) {
    const body = { enter_lobby: () => this._enter(true), enter_line: () => this._enter(false), lobby: () => this._lobby(), drawing: () => this._drawing(), waiting: () => this._waiting() };
    const { mishap } = this._line;
    return h('section.line', { 'data-line': stage, 'aria-labelledby': 'line-title' },
      h('p.line-kind', null, icon('clock'), T.line.room),
      mishap ? h('p.problem', { 'data-mishap': mishap }, T.line.news[mishap]) : null,
      ...body[stage]());
  }

  /** @param {boolean} isLobby */
  _enter(isLobby) {
    const isBefore = this._desk.status().status === 'upcoming';
    return [
      h('h2', { id: 'line-title' }, isLobby ? T.line.lobbyTitle : T.line.lineTitle),
      h('p', null, isLobby ? T.line.lobbyLead : this._event.waiting_room_mode === 'closed' ? T.line.closedLead : T.line.lineLead),
      isBefore ? this._countdown() : null,
      this._count(isLobby),
      ...this._joining.show(!this._isSignedIn ? T.line.signInToJoin : isLobby ? T.line.joinLobby : T.line.joinLine, () => this.join()),
      h('p.hint', null, T.line.oneEach),
    ];
  }

  _lobby() {
    const { receipt } = this._kept;
    const number = receipt?.position ?? this._line.place?.receipt?.position;
    return [
      h('h2', { id: 'line-title' }, T.line.inLobbyTitle),
      h('p', null, T.line.inLobby),
      this._countdown(),
      this._count(true),
      number === undefined ? null : h('div.receipt', null, icon('ticket'),
        h('div', null, h('b', null, T.line.entry(number)), h('code', null, `${(receipt?.entry_id ?? this._line.place?.receipt?.entry_id ?? '').slice(0, 12)}…`)),
        receipt ? h('a.button.quiet.small', { href: receiptUrl(receipt), download: `receipt-${receipt.event_id}.json`, 'data-key': 'receipt' }, T.line.download) : null),
      h('p.kept', null, icon('check'), T.line.keptLobby),
      h('div.line-foot', null, this._soundChoice(), this._drawButton(), this._leaveButton(T.line.leave)),
    ];
  }

  _drawing() {
    return [
      h('h2', { id: 'line-title' }, T.line.drawingTitle),
      h('p', null, h('span.spinner', { 'aria-hidden': 'true' }), ' ', T.line.drawing),
      h('div.line-foot', null, this._drawButton(), this._leaveButton(T.line.leave)),
    ];
  }

  _waiting() {
    const { ahead, wait, place, news, mode } = this._line;
    const isBefore = this._desk.status().status === 'upcoming';
    return [
      h('h2', { id: 'line-title' }, mode === 'closed' ? T.line.pausedTitle : ahead === 0 ? T.line.nextTitle : T.line.waitingTitle),
      h('div.standing', null,
        h('div', null, h('b', { 'data-ahead': ahead }, ahead.toLocaleString(document.documentElement.lang)), h('span', null, T.line.aheadLabel(ahead))),
        h('div', null, h('b.is-text', { 'data-wait': true }, mode === 'closed' || isBefore ? '–' : waitWords(wait)), h('span', null, T.line.waitLabel))),
      h('div.way', { 'aria-hidden': 'true' }, way(ahead)),
      isBefore ? this._countdown() : null,
      h('p.hint', null, T.line.place(place?.place ?? 0), news ? ` · ${T.line.inLine(news.waiting)}` : ''),
      h('p.kept', null, icon('check'), T.line.keptLine),
      h('div.line-foot', null, this._soundChoice(), this._drawButton(), this._leaveButton(T.line.leave)),
    ];
  }

  /** @returns {HTMLElement} */
  _countdown() {
    const { onSaleAtMs } = this._desk.status();
    this._starts.until(onSaleAtMs);
    return h('div', null, this._starts.element, h('p.hint', null, T.line.startsAt(formatMoment(onSaleAtMs))));
  }

  /** @param {boolean} isLobby @returns {HTMLElement | null} */
  _count(isLobby) {
    const count = this._line.news?.waiting ?? 0;
    return count > 0 ? h('p.line-count', { 'data-waiting': count }, isLobby ? T.line.inLobbyCount(count) : T.line.inLine(count)) : null;
  }

  /** @returns {HTMLElement | null} */
  _drawButton() {
    if (this._event.waiting_room_mode !== 'draw') return null;
    const isBefore = this._desk.status().status === 'upcoming';
    return h('button.link', { type: 'button', 'data-key': 'draw', onclick: () => this._showDraw() }, isBefore ? T.draw.about : T.draw.check);
  }

  _showDraw() {
    void showDraw(this._event.id, { kept: this._kept, isSignedIn: session.account !== null }, this._desk.signal);
  }

  /** @param {string} label @returns {HTMLElement} */
  _leaveButton(label) {
    return h('button.link', { type: 'button', 'data-key': 'leave', onclick: () => void this._leave() }, label);
  }

  /** @returns {HTMLElement} */
  _soundChoice() {
    const onchange = (/** @type {Event & {target: HTMLInputElement}} */ event) => {
      this._kept.hasSound = event.target.checked;
      if (event.target.checked) enableSound();
    };
    return h('label.sound', null, h('input', { type: 'checkbox', 'data-key': 'sound', checked: this._kept.hasSound, onchange }), T.line.sound);
  }
}

const PEOPLE_SHOWN = 12;

/** Those ahead as dots, and me as the last. @param {number} ahead @returns {HTMLElement[]} */
function way(ahead) {
  const shown = Math.min(ahead, PEOPLE_SHOWN);
  return [...Array.from({ length: shown }, () => h('i')), h('i.is-me')];
}

/** @param {import('../state/line.js').Range | null} wait @returns {string} "4 to 7 min" */
function waitWords(wait) {
  if (wait === null) return T.line.waitUnknown;
  const [from, to] = wait;
  if (to <= MINUTES_FROM_S) return T.line.waitSoon;
  const [least, most] = [Math.max(1, Math.floor(from / 60)), Math.ceil(to / 60)];
  return least === most ? T.line.waitMinutes(most) : T.line.waitRange(least, most);
}

/** @param {import('../state/draw_checks.js').SignedReceipt} receipt @returns {string} */
function receiptUrl(receipt) {
  return `data:application/json,${encodeURIComponent(JSON.stringify(receipt, null, 2))}`;
}
