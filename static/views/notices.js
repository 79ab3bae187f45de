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
 * @property {(seats: number[]) => string} names "C14 and C15"
 * @property {ReturnType<typeof import('./remembered.js').remembered>} memory
 * @property {(problem: string) => void} setProblem the words that stand in the basket
 * @property {(seats: number[]) => void} holdAgain
 * @property {(command: Command) => void} resend
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
  }

  /** @param {Notice} notice */
  tell(notice) {
    const { names, resend, setProblem } = this._desk;
    switch (notice.kind) {
      case 'held':
        setProblem('');
        return say(T.notices.held(names(notice.seats), notice.seats.length), { isUrgent: true });
      case 'released':
        if (notice.seats.length === 0) return;
        return say(T.notices.released(names(notice.seats), notice.seats.length), { isUrgent: true });
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
    const { names, memory, sale } = this._desk;
    if (command.type === 'checkout') memory.checkout = null;
    const { code, seats = [] } = refusal;
    if (code === 'seat_taken') {
      const others = sale().selected.length > 0 ? ` ${T.notices.kept}` : '';
      note(T.notices.taken(names(seats), seats.length) + others, 'warn');
    } else if (code === 'seat_blocked') this._tellProblem(T.notices.blocked(names(seats), seats.length));
    else if (code === 'payment_failed') this._tellProblem(T.notices.paymentFailed);
    else this._tellProblem(T.refusals[code] ?? refusal.message);
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
      if (lost.length > 0) note(T.notices.taken(this._desk.names(lost), lost.length), 'warn');
    }, TAKEN_PAUSE_MS);
  }

  /** @param {number[]} seats */
  async _tellExpired(seats) {
    const text = T.expired.text(this._desk.names(seats));
    const words = { title: T.expired.title, text, yes: T.expired.again, no: T.expired.no };
    if (await ask(words, this._signal)) this._desk.holdAgain(seats);
  }

  /** @param {Order} order */
  _tellOrder(order) {
    const { memory } = this._desk;
    if (order.status === 'pending') return;
    const isFromHere = memory.checkout !== null;
    memory.checkout = null;
    if (order.status === 'completed' && isFromHere) {
      memory.chosen = [];
      say(T.notices.paid, { isUrgent: true });
      go(`/orders/${order.order_id}?new`);
    } else if (order.status === 'payment_failed') this._tellProblem(T.notices.paymentFailed);
  }
}
