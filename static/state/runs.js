// @ts-check
/**
 * Seats that stand next to each other: no aisle and no other price between them. No DOM.
 *
 * @typedef {import('./plan.js').Plan} Plan
 * @typedef {import('./camera.js').Point} Point
 * @typedef {{first: number, end: number}} Run the seats from `first` to before `end`
 *
 * @typedef {object} BlockTerms
 * @property {number} count seats next to each other
 * @property {Point} near plan units: where they should be
 * @property {(seat: number) => boolean} isFree
 * @property {number} [priceMost] cents a seat
 * @property {readonly number[]} [like] who picked these may be given the block: without a wheelchair place among them, it
 *   has none; without a companion seat either, none of those
 * @property {string} [section] its name
 * @property {(block: number[]) => boolean} [isFine] what else must hold
 */

/** The runs of a plan, in index order. */
export class Runs {
  /** @param {Plan} plan */
  constructor(plan) {
    this._plan = plan;
    /** @type {Run[]} */
    this.all = [];
    this._runOf = new Uint32Array(plan.count);
    for (let seat = 0; seat < plan.count; seat++) {
      const isNext = seat > 0 && plan.row[seat] === plan.row[seat - 1] && plan.category[seat] === plan.category[seat - 1];
      if (!isNext || plan.isAfterAisle(seat)) this.all.push({ first: seat, end: seat });
      this.all[this.all.length - 1].end = seat + 1;
      this._runOf[seat] = this.all.length - 1;
    }
  }

  /** @param {number} seat @returns {Run} */
  of(seat) {
    return this.all[this._runOf[seat]];
  }

  /**
   * Seats as groups of those next to each other.
   *
   * @param {readonly number[]} seats
   * @returns {number[][]} in index order
   */
  groups(seats) {
    /** @type {number[][]} */
    const groups = [];
    for (const seat of [...seats].sort((a, b) => a - b)) {
      const last = groups[groups.length - 1];
      const before = last?.[last.length - 1];
      if (last && before === seat - 1 && this._runOf[before] === this._runOf[seat]) last.push(seat);
      else groups.push([seat]);
    }
    return groups;
  }

  /**
   * The nearest block under these terms.
   *
   * @param {BlockTerms} terms
   * @param {readonly Run[]} [among]
   * @returns {number[] | null} its seats
   */
  nearest({ count, near, isFree, priceMost = Infinity, like, section, isFine = () => true }, among = this.all) {
    const plan = this._plan;
    /** @type {number[] | null} */
    let best = null;
    let least = Infinity;
    for (const { first, end } of among) {
      if (plan.priceOf(first) > priceMost) continue;
      if (section !== undefined && plan.sectionOf(first).name !== section) continue;
      let free = 0;
      for (let seat = first; seat < end; seat++) {
        free = isFree(seat) ? free + 1 : 0;
        if (free < count) continue;
        const distance = this._distance(seat - count + 1, count, near);
        if (distance >= least) continue;
        const block = Array.from({ length: count }, (_, k) => seat - count + 1 + k);
        if (like && !this._suits(block, like)) continue;
        if (!isFine(block)) continue;
        [least, best] = [distance, block];
      }
    }
    return best;
  }

  /** @param {readonly number[]} seats @returns {Point} their middle */
  middle(seats) {
    const { x, y } = this._plan;
    const mean = (/** @type {Float32Array} */ values) => seats.reduce((sum, seat) => sum + values[seat], 0) / seats.length;
    return { x: mean(x), y: mean(y) };
  }

  /** @param {readonly number[]} block @param {readonly number[]} picked @returns {boolean} as the server judges it */
  _suits(block, picked) {
    const has = (/** @type {readonly number[]} */ seats, /** @type {'accessible' | 'companion'} */ mark) =>
      seats.some((seat) => this._plan.attributesOf(seat).includes(mark));
    if (has(picked, 'accessible') !== has(block, 'accessible')) return false;
    return has(picked, 'accessible') || has(picked, 'companion') || !has(block, 'companion');
  }

  /** @param {number} first @param {number} count @param {Point} to @returns {number} of a block's middle */
  _distance(first, count, to) {
    const { x, y } = this._plan;
    const last = first + count - 1;
    return Math.hypot((x[first] + x[last]) / 2 - to.x, (y[first] + y[last]) / 2 - to.y);
  }
}
