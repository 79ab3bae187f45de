// @ts-check
/**
 * One customer's dealings with one event: the map, the choice, the hold and the commands under way.
 *
 * Pure: messages and the customer's acts go in, changed seats and notices come out. No DOM, no socket, no clock.
 *
 * @typedef {import('./protocol.js').Command} Command
 * @typedef {import('./protocol.js').Hold} Hold
 * @typedef {import('./protocol.js').Order} Order
 * @typedef {import('./protocol.js').Message} Message
 * @typedef {import('./protocol.js').Rejected} Rejected
 * @typedef {import('./protocol.js').Accepted} Accepted
 *
 * @typedef {{kind: 'held', seats: number[]} | {kind: 'released', seats: number[]} | {kind: 'extended'}
 *   | {kind: 'found', seats: number[], isTogether: boolean} | {kind: 'taken', seats: number[]}
 *   | {kind: 'expired', seats: number[]} | {kind: 'sold_elsewhere'}
 *   | {kind: 'order', order: Order} | {kind: 'refused', command: Command, refusal: Rejected}
 *   | {kind: 'retry', command: Command, after_ms: number}} Notice
 * What the customer, or the page, should know.
 *
 * @typedef {{seats: number[] | 'all', notices: Notice[], reopen: boolean}} Effects
 * `seats`: those that look different now. `reopen`: the map is lost, ask for it.
 */

import { AVAILABLE, SEATS_PER_COMMAND_MAX } from './protocol.js';
import { SeatTable, judgeHeartbeat } from './seats.js';

const RETRIES_MAX = 5;
const RETRY_AFTER_MS = 300;
/** Refusals that say nothing about the command: the same one is sent again by itself. */
const NOT_NOW = new Set(['busy', 'try_again', 'overloaded', 'rate_limited']);
/** Refusals that name seats nobody should go on asking for. */
const SEAT_AT_FAULT = new Set(['seat_taken', 'seat_not_found', 'seat_blocked']);
const NO_HOLD = new Set(['hold_not_found', 'hold_expired']);

/** @type {Hold} */
const NOTHING_HELD = { seats: [], expires_at_ms: null, total_cents: 0 };

export class Sale {
  /** @param {number} seatCount @param {number} ticketsMax for this customer in this event */
  constructor(seatCount, ticketsMax) {
    this.table = new SeatTable(seatCount);
    this.ticketsMax = ticketsMax;
    /** @type {Hold} */
    this.hold = NOTHING_HELD;
    /** The one extension is used, as far as this page knows. */
    this.isExtended = false;
    /** @type {number[]} chosen here, not yet asked for */
    this.selected = [];
    /** @type {Map<string, {command: Command, retries: number}>} */
    this.pending = new Map();
    /** @type {Order | null} one whose payment is not decided yet */
    this.pendingOrder = null;
    /** @type {(seat: number, before: number, after: number) => void} */
    this.onSeatChange = () => {};
  }

  /** @param {number} seat @returns {'mine' | 'selected' | 'available' | 'held' | 'sold' | 'blocked'} */
  lookOf(seat) {
    if (this.hold.seats.includes(seat)) return 'mine';
    if (this.selected.includes(seat)) return 'selected';
    return /** @type {const} */ (['available', 'held', 'sold', 'blocked'])[this.table.states[seat]];
  }

  /** @param {Command['type']} type @returns {Command | null} a command of this type that is not yet answered */
  pendingOf(type) {
    for (const { command } of this.pending.values()) if (command.type === type) return command;
    return null;
  }

  /** @returns {Command[]} to be sent again after a reconnect, in their order */
  unanswered() {
    return [...this.pending.values()].map(({ command }) => command);
  }

  /**
   * Choose a seat, or choose it no longer.
   *
   * @param {number} seat
   * @returns {'selected' | 'unselected' | 'mine' | 'unavailable' | 'full' | 'busy'}
   */
  toggle(seat) {
    if (this.pendingOf('hold_seats') || this.pendingOf('hold_best') || this.pendingOf('checkout')) return 'busy';
    if (this.hold.seats.includes(seat)) return 'mine';
    if (this.selected.includes(seat)) {
      this.selected = this.selected.filter((other) => other !== seat);
      return 'unselected';
    }
    if (this.table.states[seat] !== AVAILABLE) return 'unavailable';
    const most = Math.min(SEATS_PER_COMMAND_MAX, this.room);
    if (this.selected.length >= most) return 'full';
    this.selected = [...this.selected, seat];
    return 'selected';
  }

  /**
   * Choose these seats and no others.
   *
   * @param {number[]} seats
   * @returns {number[]} the seats that look different now; none: not all of these are free, or it is too many
   */
  choose(seats) {
    const wanted = without(seats, this.hold.seats);
    const most = Math.min(SEATS_PER_COMMAND_MAX, this.room);
    if (wanted.length > most || wanted.some((seat) => this.table.states[seat] !== AVAILABLE)) return [];
    const changed = [...this.selected, ...wanted];
    this.selected = [...new Set(wanted)];
    return changed;
  }

  /** @returns {number} how many more seats this customer may hold */
  get room() {
    return Math.max(0, this.ticketsMax - this.hold.seats.length);
  }

  /** @param {Command} command to be remembered until it is answered */
  begin(command) {
    this.pending.set(command.id, { command, retries: 0 });
  }

  /**
   * Take a message of the server.
   *
   * @param {Message} message
   * @returns {Effects}
   */
  receive(message) {
    switch (message.type) {
      case 'snapshot':
        this.table.load(message);
        return effects('all', this._dropTaken(this.selected));
      case 'patch': {
        const { outcome, changed } = this.table.apply(message, this.onSeatChange);
        return { seats: changed, notices: this._dropTaken(changed), reopen: outcome === 'reopen' };
      }
      case 'resync':
        this.table.position = null;
        return effects([]);
      case 'heartbeat':
        return { ...effects([]), reopen: judgeHeartbeat(this.table.position, message) === 'reopen' };
      case 'accepted':
        return this._accepted(message);
      case 'rejected':
        return this._rejected(message);
      case 'hold':
        return this._holdNow(message, message.reason);
      case 'order':
        return this._orderNow(message);
      default:
        return effects([]);
    }
  }

  /** @param {Accepted} reply @returns {Effects} */
  _accepted(reply) {
    const command = this.pending.get(reply.id)?.command;
    this.pending.delete(reply.id);
    if (reply.order) {
      const seats = this._setHold(reply.order.status === 'completed' ? NOTHING_HELD : this.hold);
      const done = this._orderNow(reply.order);
      return { ...done, seats };
    }
    if (!reply.hold) return effects([]);
    const before = this.hold.seats;
    const seats = this._setHold(reply.hold);
    /** @type {Notice[]} */
    const notices = [];
    const added = this.hold.seats.filter((seat) => !before.includes(seat));
    if (command?.type === 'hold_seats') notices.push({ kind: 'held', seats: added });
    if (command?.type === 'hold_best') notices.push({ kind: 'found', seats: added, isTogether: reply.together === true });
    if (command?.type === 'release_seats') notices.push({ kind: 'released', seats: without(before, this.hold.seats) });
    if (command?.type === 'extend_hold') {
      this.isExtended = true;
      notices.push({ kind: 'extended' });
    }
    return effects(seats, notices);
  }

  /** @param {Rejected} refusal @returns {Effects} */
  _rejected(refusal) {
    const pending = this.pending.get(refusal.id);
    if (!pending) return effects([]);
    const { command } = pending;
    if (NOT_NOW.has(refusal.code) && pending.retries < RETRIES_MAX) {
      pending.retries += 1;
      const after_ms = refusal.retry_after_ms ?? RETRY_AFTER_MS * 2 ** (pending.retries - 1);
      return effects([], [{ kind: 'retry', command, after_ms }]);
    }
    this.pending.delete(refusal.id);
    /** @type {number[]} */
    let seats = [];
    if (command.type === 'hold_seats') {
      seats = [...command.seats];
      if (SEAT_AT_FAULT.has(refusal.code)) this.selected = without(this.selected, refusal.seats ?? []);
    }
    if (command.type === 'extend_hold' && refusal.code === 'extend_used') this.isExtended = true;
    if (NO_HOLD.has(refusal.code)) seats = [...seats, ...this._setHold(NOTHING_HELD)];
    return effects(seats, [{ kind: 'refused', command, refusal }]);
  }

  /** @param {Hold} hold @param {string} reason @returns {Effects} */
  _holdNow(hold, reason) {
    const before = this.hold.seats;
    const seats = this._setHold(hold);
    /** @type {Notice[]} */
    const notices = [];
    if (reason === 'expired' && before.length > 0) notices.push({ kind: 'expired', seats: before });
    if (reason === 'sold' && before.length > 0 && !this.pendingOf('checkout')) notices.push({ kind: 'sold_elsewhere' });
    return effects(seats, notices);
  }

  /** @param {Order} order @returns {Effects} */
  _orderNow(order) {
    const isKnown = this.pendingOrder?.order_id === order.order_id;
    if (order.status === 'pending') this.pendingOrder = order;
    else if (isKnown) this.pendingOrder = null;
    return effects([], [{ kind: 'order', order }]);
  }

  /** @param {Hold} hold @returns {number[]} the seats that look different now */
  _setHold(hold) {
    const changed = [...this.hold.seats, ...hold.seats];
    if (hold.seats.length === 0) this.isExtended = false;
    this.hold = { seats: hold.seats, expires_at_ms: hold.expires_at_ms, total_cents: hold.total_cents };
    this.selected = without(this.selected, hold.seats);
    return changed;
  }

  /**
   * Chosen seats that somebody else has got meanwhile are chosen no longer. Those I am asking for right now are left
   * to the answer: the patch that shows them held may be about my own hold.
   *
   * @param {number[]} seats the candidates
   * @returns {Notice[]}
   */
  _dropTaken(seats) {
    const asked = new Set(this.unanswered().flatMap((command) => (command.type === 'hold_seats' ? command.seats : [])));
    const taken = seats.filter(
      (seat) => this.selected.includes(seat) && !asked.has(seat) && this.table.states[seat] !== AVAILABLE,
    );
    if (taken.length === 0) return [];
    this.selected = without(this.selected, taken);
    return [{ kind: 'taken', seats: taken }];
  }
}

/** @param {number[] | 'all'} seats @param {Notice[]} [notices] @returns {Effects} */
function effects(seats, notices = []) {
  return { seats, notices, reopen: false };
}

/** @param {number[]} seats @param {readonly number[]} others @returns {number[]} */
function without(seats, others) {
  return seats.filter((seat) => !others.includes(seat));
}
