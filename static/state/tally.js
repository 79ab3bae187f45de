// @ts-check
/**
 * How many seats are left, by section and by category, kept up to date one change at a time. No DOM.
 *
 * @typedef {import('./plan.js').Plan} Plan
 */

import { AVAILABLE } from './protocol.js';

/** Available seats of each section, row and category. */
export class Tally {
  /** @param {Plan} plan @param {Uint8Array} states */
  constructor(plan, states) {
    this._plan = plan;
    this.sections = new Uint32Array(plan.sections.length);
    this.rows = new Uint32Array(plan.rows.length);
    this.categories = new Uint32Array(plan.categories.length);
    this.recount(states);
  }

  /** @returns {number} available seats of the event */
  get total() {
    return this.sections.reduce((sum, count) => sum + count, 0);
  }

  /** @param {Uint8Array} states */
  recount(states) {
    this.sections.fill(0);
    this.rows.fill(0);
    this.categories.fill(0);
    states.forEach((state, seat) => {
      if (state === AVAILABLE) this._add(seat, 1);
    });
  }

  /** @param {number} seat @param {number} before @param {number} after its states */
  change(seat, before, after) {
    if (before === AVAILABLE) this._add(seat, -1);
    if (after === AVAILABLE) this._add(seat, 1);
  }

  /** @param {number} seat @param {number} step */
  _add(seat, step) {
    const { row, rows, category } = this._plan;
    this.rows[row[seat]] += step;
    this.sections[rows[row[seat]].section] += step;
    this.categories[category[seat]] += step;
  }
}
