// @ts-check
/**
 * Which seats are near a point: a grid of cells over the plan. No DOM.
 *
 * @typedef {import('./plan.js').Plan} Plan
 */

/** How much a step aside counts against a step ahead, when an arrow key looks for the next seat. */
const ASIDE = 2.5;

/** Finds seats by place. */
export class Neighbours {
  /** @param {Plan} plan */
  constructor(plan) {
    const { bounds, count } = plan;
    this._plan = plan;
    // About four seats a cell, if they covered the plan evenly.
    this._cell = Math.max(plan.seatRadius * 2, Math.sqrt((bounds.width * bounds.height * 4) / Math.max(count, 1)));
    this._cell = Math.min(this._cell, plan.seatRadius * 10);
    this._columns = Math.max(1, Math.ceil(bounds.width / this._cell));
    this._lines = Math.max(1, Math.ceil(bounds.height / this._cell));
    this._starts = new Uint32Array(this._columns * this._lines + 1);
    this._seats = new Uint32Array(count);
    this._sort();
  }

  /**
   * The seat nearest to a point, or -1 when none is within `reach`.
   *
   * @param {number} x plan units
   * @param {number} y
   * @param {number} reach
   * @returns {number}
   */
  at(x, y, reach) {
    let best = -1;
    let least = reach * reach;
    this.within(x - reach, y - reach, x + reach, y + reach, (seat, sx, sy) => {
      const distance = (sx - x) ** 2 + (sy - y) ** 2;
      if (distance <= least) {
        least = distance;
        best = seat;
      }
    });
    return best;
  }

  /**
   * Call `visit` for each seat whose middle is in a rectangle.
   *
   * @param {number} left
   * @param {number} top
   * @param {number} right
   * @param {number} bottom
   * @param {(seat: number, x: number, y: number) => void} visit
   */
  within(left, top, right, bottom, visit) {
    const { x: xs, y: ys } = this._plan;
    const [fromColumn, fromLine] = this._cellOf(left, top);
    const [toColumn, toLine] = this._cellOf(right, bottom);
    for (let line = fromLine; line <= toLine; line++) {
      const base = line * this._columns;
      const end = this._starts[base + toColumn + 1];
      for (let k = this._starts[base + fromColumn]; k < end; k++) {
        const seat = /** @type {number} */ (this._seats[k]);
        const x = xs[seat];
        const y = ys[seat];
        if (x >= left && x <= right && y >= top && y <= bottom) visit(seat, x, y);
      }
    }
  }

  /**
   * The next seat in a direction, across the whole room; the same seat where there is none.
   *
   * @param {number} seat
   * @param {number} dx one of -1, 0, 1
   * @param {number} dy
   * @returns {number}
   */
  towards(seat, dx, dy) {
    const { bounds } = this._plan;
    const { x, y } = this._plan.pointOf(seat);
    const farthest = bounds.width + bounds.height;
    let best = seat;
    let least = Infinity;
    let reach = this._cell / 2;
    do {
      reach *= 2;
      this.within(x - reach, y - reach, x + reach, y + reach, (other, ox, oy) => {
        const ahead = (ox - x) * dx + (oy - y) * dy;
        const aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
        if (ahead < 0.5 || aside > ahead * 1.2) return;
        const cost = Math.hypot(ahead, ASIDE * aside);
        if (cost < least) {
          least = cost;
          best = other;
        }
      });
      // No seat outside of the square searched can cost less than its half side.
    } while (least > reach && reach < farthest);
    return best;
  }

  /** Counting sort of the seats into their cells. */
  _sort() {
    const { x, y, count } = this._plan;
    const cells = new Uint32Array(count);
    for (let seat = 0; seat < count; seat++) {
      const [column, line] = this._cellOf(x[seat], y[seat]);
      const cell = line * this._columns + column;
      cells[seat] = cell;
      this._starts[cell + 1] += 1;
    }
    for (let k = 1; k < this._starts.length; k++) {
      this._starts[k] += this._starts[k - 1];
    }
    const next = this._starts.slice();
    for (let seat = 0; seat < count; seat++) {
      const cell = cells[seat];
      const place = next[cell];
      this._seats[place] = seat;
      next[cell] = place + 1;
    }
  }

  /** @param {number} x @param {number} y @returns {[number, number]} column and line, within the grid */
  _cellOf(x, y) {
    const { bounds } = this._plan;
    const column = Math.floor((x - bounds.x) / this._cell);
    const line = Math.floor((y - bounds.y) / this._cell);
    return [
      Math.min(this._columns - 1, Math.max(0, column)),
      Math.min(this._lines - 1, Math.max(0, line)),
    ];
  }
}
