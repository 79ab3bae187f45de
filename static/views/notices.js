// @ts-check
/**
 * What the sale has to tell the customer, in words: on the page, at its edge, or to the ear.
 *
 * @typedef {import('../state/protocol.js').Command} Command
 * @typedef {import('../state/protocol.js').Order} Order
 * @typedef {import('../state/sale.js').Notice} Notice
 * @typedef {import('../state/sale.js').Sale} Sale
 *
 * @typedef {object} Desk
 * @property {() => Sale} sale
 * @property {import('./choosing.js').Choosing} choosing
 * @property {import('./remembered.js').Memory} memory
 * @property {(problem: string) => void} setProblem the words that stand in the basket
 * @property {(command: Command) => void} resend
 * @property {(command: Command, code: string) => boolean} onJoinRefused whether the waiting room deals with it
 * @property {() => void} onNotAdmitted it is not, or no longer, my turn
 */

import { note, say } from '../announcer.js';
import { go } from '../router.js';
import { T } from '../texts.js';
import { ask } from './dialogs.js';

/** A seat that another window of mine has taken is told by my hold a moment after the patch. */
const TAKEN_PAUSE_MS = 350;

export class Notices {
  /** @param {Desk} desk @param {AbortSignal} signal */
  constructor(desk, signal) {
    this._desk = desk;
    this._signal = signal;
    /** Takes the last offer away. */
    this._withdraw = () => {};
  }

  /** @param {Notice} notice */
  tell(notice) {
    const { choosing, resend, setProblem } = this._desk;
    switch (notice.kind) {
      case 'held':
        setProblem('');
        return say(T.notices.held(choosing.names(notice.seats), notice.seats.length), { isUrgent: true });
      case 'found':
        return choosing.found(notice.seats, notice.isTogether);
      case 'released':
        if (notice.seats.length === 0) return;
        return say(T.notices.released(choosing.names(notice.seats), notice.seats.length), { isUrgent: true });
      case 'extended':
        return note(T.notices.extended, 'good');
      case 'taken':
        return this._tellTaken(notice.seats);
      case 'expired':
        return void this._tellExpired(notice.seats);
      case 'sold_elsewhere':
        return note(T.notices.soldElsewhere);
      case 'order':
        return this._tellOrder(notice.order);
      case 'refused':
        return this._tellRefused(notice);
      case 'retry':
        setTimeout(() => !this._signal.aborted && resend(notice.command), notice.after_ms);
    }
  }

  /** @param {Extract<Notice, {kind: 'refused'}>} notice */
  _tellRefused({ command, refusal }) {
    const { choosing, memory, sale } = this._desk;
    if (command.type === 'checkout') memory.checkout = null;
    const { code, seats = [] } = refusal;
    if (this._desk.onJoinRefused(command, code)) return;
    if (code === 'seat_taken') {
      const others = sale().selected.length > 0 ? ` ${T.notices.kept}` : '';
      this._tellLost(seats, T.notices.taken(choosing.names(seats), seats.length) + others);
    } else if (code === 'not_admitted') this._desk.onNotAdmitted();
    else if (code === 'orphan_seat') choosing.orphaned(refusal, command);
    else if (command.type === 'hold_best') choosing.notFound(T.refusals[code] ?? T.error.unknown);
    else if (code === 'seat_blocked') this._tellProblem(T.notices.blocked(choosing.names(seats), seats.length));
    else if (code === 'payment_failed') this._tellProblem(T.notices.paymentFailed);
    else this._tellProblem(T.refusals[code] ?? T.error.unknown);
  }

  /** @param {string} problem */
  _tellProblem(problem) {
    this._desk.setProblem(problem);
    say(problem, { isUrgent: true });
  }

  /** @param {number[]} seats */
  _tellTaken(seats) {
    setTimeout(() => {
      if (this._signal.aborted) return;
      const lost = seats.filter((seat) => !this._desk.sale().hold.seats.includes(seat));
      if (lost.length > 0) this._tellLost(lost, T.notices.taken(this._desk.choosing.names(lost), lost.length));
    }, TAKEN_PAUSE_MS);
  }

  /** Say what is lost, and offer the nearest seats in its place. @param {number[]} lost @param {string} text */
  _tellLost(lost, text) {
    this._withdraw();
    this._desk.choosing.advice = null;
    const instead = this._desk.choosing.alternativeFor(lost);
    const act = () => {
      if (!this._desk.choosing.chooseToo(instead)) this._tellLost(lost, T.notices.goneToo);
    };
    const label = T.notices.chooseInstead(this._desk.choosing.names(instead));
    this._withdraw = note(text, 'warn', instead.length > 0 ? { label, act, signal: this._signal } : null);
  }

  /** @param {number[]} seats */
  async _tellExpired(seats) {
    const text = T.expired.text(this._desk.choosing.names(seats));
    const words = { title: T.expired.title, text, yes: T.expired.again, no: T.expired.no };
    if (!(await ask(words, this._signal))) return;
    const sale = this._desk.sale();
    sale.selected = [...new Set([...sale.selected, ...seats])];
    this._desk.choosing.hold(seats);
  }

  /** @param {Order} order */
  _tellOrder(order) {
    const { memory } = this._desk;
    if (order.status === 'pending') return say(T.basket.waitingForBank);
    const isFromHere = memory.checkout !== null;
    memory.checkout = null;
    if (order.status === 'completed' && isFromHere) {
      memory.chosen = [];
      say(T.notices.paid, { isUrgent: true });
      go(`/orders/${order.order_id}?new`);
    } else if (order.status === 'payment_failed') this._tellProblem(T.notices.paymentFailed);
  }
}
