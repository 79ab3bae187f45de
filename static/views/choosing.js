// @ts-check
/**
 * How a customer comes to seats: one by one, as the best for a party, in place of lost ones; and what is said before
 * a choice leaves a single seat alone.
 *
 * @typedef {import('../state/protocol.js').Command} Command
 * @typedef {import('../state/protocol.js').Rejected} Rejected
 * @typedef {import('../state/protocol.js').Wish} Wish
 * @typedef {import('../state/sale.js').Sale} Sale
 * @typedef {import('./advice.js').Advice} Advice
 * @typedef {import('./room.js').Room} Room
 *
 * @typedef {object} Desk
 * @property {() => Sale} sale
 * @property {() => Room | null} room
 * @property {() => boolean} isSignedIn
 * @property {() => boolean} isOnSale
 * @property {() => string} orphanRule `off`, `warn` or `enforce`
 * @property {import('./remembered.js').Memory} memory
 * @property {(command: Command) => void} send
 * @property {(seats: number[]) => void} onChange these seats look different now; none: something else does
 * @property {AbortSignal} signal
 */

import { note, say } from '../announcer.js';
import { go } from '../router.js';
import { alternativeFor } from '../state/alternatives.js';
import { warningOf } from '../state/orphans.js';
import { T } from '../texts.js';
import { holdAdvice, releaseAdvice } from './advice.js';
import { signInPath } from './sign_page.js';
import { groupNames, shortName, shortNames, spokenSeat } from './words.js';

export class Choosing {
  /** @param {Desk} desk */
  constructor(desk) {
    this._desk = desk;
    /** @type {Advice | null} what to do instead of what was asked */
    this.advice = null;
  }

  /** @param {number[]} seats @returns {string} "C14 and C15" */
  names(seats) {
    const room = this._desk.room();
    return room ? shortNames(room.plan, seats) : T.seats(seats.length);
  }

  /** @param {number} seat to be chosen, or chosen no longer */
  toggle(seat) {
    const sale = this._desk.sale();
    const plan = this._desk.room()?.plan;
    if (!plan) return;
    const outcome = sale.toggle(seat);
    if (outcome === 'mine' || outcome === 'unavailable') note(T.notices.unavailable(shortName(plan, seat), T.looks[sale.lookOf(seat)]));
    if (outcome === 'full') note(T.basket.full(sale.ticketsMax), 'warn');
    if (outcome !== 'selected' && outcome !== 'unselected') return;
    this.advice = null;
    say(spokenSeat(plan, seat, sale.lookOf(seat)));
    this._desk.onChange([seat]);
  }

  clear() {
    this.advice = null;
    this._desk.onChange(this._desk.sale().choose([]));
  }

  /**
   * Choose these seats besides those that are chosen.
   *
   * @param {number[]} seats
   * @returns {boolean} false: that cannot be any more
   */
  chooseToo(seats) {
    return this._choose([...this._desk.sale().selected, ...seats], seats);
  }

  /** @param {number[]} lost @returns {number[]} the nearest seats in their place, if there are any */
  alternativeFor(lost) {
    const room = this._desk.room();
    const { hold, selected, table, room: left } = this._desk.sale();
    if (!room || lost.length === 0 || lost.length > left - selected.length) return [];
    return alternativeFor(room.plan, room.runs, table.states, lost, [...hold.seats, ...selected]);
  }

  // The best seats

  /** @param {Wish} wish */
  find(wish) {
    const { memory, isSignedIn, send } = this._desk;
    memory.wish = wish;
    if (isSignedIn()) send({ type: 'hold_best', id: crypto.randomUUID(), ...wish });
    else {
      memory.wishAsked = wish;
      go(signInPath());
    }
  }

  /** Who had to sign in first gets what they asked for. */
  findWhatWasAsked() {
    const { memory, isSignedIn, isOnSale } = this._desk;
    const wish = memory.wishAsked;
    memory.wishAsked = null;
    if (wish && isSignedIn() && isOnSale()) this.find(wish);
  }

  /** @param {number[]} seats the finder's answer, held already @param {boolean} isTogether */
  found(seats, isTogether) {
    const room = this._desk.room();
    if (!room || seats.length === 0) return;
    const names = this.names(seats);
    const apart = () => T.finder.apart(groupNames(room.plan, room.runs.groups(seats)));
    const words = seats.length === 1 ? T.finder.one(names) : isTogether ? T.finder.together(names) : apart();
    note(words, 'good', { label: T.finder.undo, act: () => this.release(seats), signal: this._desk.signal });
    room.show(seats);
  }

  /** @param {string} problem why there is no answer */
  notFound(problem) {
    this._desk.room()?.finder.tell(problem);
    say(problem, { isUrgent: true });
  }

  // Holding and giving back

  /** Hold what is chosen; where the event wants it, not before the customer was told whom that leaves alone. */
  holdChosen() {
    const { selected, table, room: left } = this._desk.sale();
    const room = this._desk.room();
    const warning = room && this._desk.orphanRule() === 'warn' ? warningOf(room.plan, room.runs, table.states, selected, left) : null;
    if (warning) this._advise(holdAdvice(warning, selected, this._acts(() => this.hold(this._desk.sale().selected))));
    else this.hold(selected);
  }

  /** @param {number[]} seats */
  hold(seats) {
    this._desk.send({ type: 'hold_seats', id: crypto.randomUUID(), seats: [...seats] });
  }

  /** @param {number[]} seats empty: all */
  release(seats) {
    this._desk.send({ type: 'release_seats', id: crypto.randomUUID(), seats });
  }

  /** The server would not leave a seat alone. @param {Rejected} refusal @param {Command} command */
  orphaned({ seats = [], instead = [] }, command) {
    const { selected, room } = this._desk.sale();
    const take = selected.length + seats.length <= room ? seats : [];
    if (command.type === 'release_seats') this._advise(releaseAdvice(seats, instead, this._acts(null)));
    else this._advise(holdAdvice({ alone: seats, take, instead }, selected, this._acts(null)));
  }

  /** @param {(() => void) | null} anyway @returns {import('./advice.js').Acts} */
  _acts(anyway) {
    return {
      names: (seats) => this.names(seats),
      choose: (seats) => {
        this._choose(seats, seats);
        this.holdChosen();  // where these are gone meanwhile, what was chosen is judged anew
      },
      anyway,
      release: (seats) => this.release(seats),
    };
  }

  /** @param {Advice} advice */
  _advise(advice) {
    this.advice = advice;
    say(`${advice.text} ${advice.ways.map(({ label }) => `${label}?`).join(' ')}`, { isUrgent: true });
    this._desk.onChange([]);
  }

  /** @param {number[]} seats and no others @param {number[]} shown those to be seen on the map @returns {boolean} */
  _choose(seats, shown) {
    const changed = this._desk.sale().choose(seats);
    if (changed.length === 0) return false;
    this.advice = null;
    this._desk.onChange(changed);
    this._desk.room()?.show(shown);
    return true;
  }
}
