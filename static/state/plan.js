// @ts-check
/**
 * The geometry of an event: the JSON at `map_url`, unfolded into flat arrays in index order. No DOM.
 *
 * @typedef {{name: string, price_tier: string, price_cents: number, color?: string}} Category
 * @typedef {{label: string, seats: number, category?: number, line?: number[], arc?: number[], at?: number[],
 *   numbers?: string[], categories?: number[], aisles?: number[], accessible?: number[],
 *   companion?: number[], restricted?: number[], blocked?: number[]}} RowJson
 * @typedef {{name: string, rows: RowJson[], label_at: [number, number], outline?: number[]}} SectionJson
 * @typedef {{outline: number[], text?: string, color?: string, border_color?: string}} Area
 * @typedef {{text: string, x: number, y: number, size?: number, color?: string}} PlanText
 * @typedef {{name: string, bounds: [number, number, number, number], focal: [number, number],
 *   categories: Category[], sections: SectionJson[], currency?: string, seat_radius?: number, stage?: Area,
 *   areas?: Area[], texts?: PlanText[]}} SeatMapJson
 *
 * @typedef {import('./camera.js').Box} Box
 * @typedef {import('./camera.js').Point} Point
 * @typedef {{label: string, section: number, first: number, count: number, numbers: string[] | null, box: Box}} Row
 * @typedef {{name: string, firstRow: number, rowCount: number, first: number, count: number,
 *   labelAt: Point, outline: number[], box: Box, category: number}} Section
 */

const ACCESSIBLE = 1;
const AFTER_AISLE = 2;
const COMPANION = 4;
const RESTRICTED = 8;

/** Every seat of an event, where it stands and what it is called. */
export class Plan {
  /** @param {SeatMapJson} json */
  constructor(json) {
    const [x, y, width, height] = json.bounds;
    this.name = json.name;
    /** @type {Box} */
    this.bounds = { x, y, width, height };
    /** @type {Point} */
    this.focal = { x: json.focal[0], y: json.focal[1] };
    this.categories = json.categories;
    this.currency = json.currency ?? 'USD';
    this.seatRadius = json.seat_radius ?? 4;
    this.stage = json.stage ?? null;
    this.areas = json.areas ?? [];
    this.texts = json.texts ?? [];

    this.count = json.sections.reduce((sum, section) => sum + seatsOf(section), 0);
    this.x = new Float32Array(this.count);
    this.y = new Float32Array(this.count);
    this.row = new Uint32Array(this.count);
    this.category = new Uint8Array(this.count);
    this._marks = new Uint8Array(this.count);
    /** @type {Row[]} */
    this.rows = [];
    /** @type {Section[]} */
    this.sections = [];
    let first = 0;
    for (const section of json.sections) first = this._addSection(section, first);
  }

  /** @param {number} seat @returns {Row} */
  rowOf(seat) {
    return this.rows[this.row[seat]];
  }

  /** @param {number} seat @returns {Section} */
  sectionOf(seat) {
    return this.sections[this.rowOf(seat).section];
  }

  /** @param {number} seat @returns {string} "14" */
  numberOf(seat) {
    const row = this.rowOf(seat);
    return row.numbers?.[seat - row.first] ?? String(seat - row.first + 1);
  }

  /** @param {number} seat @returns {Category} */
  categoryOf(seat) {
    return this.categories[this.category[seat]];
  }

  /** @param {number} seat @returns {number} */
  priceOf(seat) {
    return this.categoryOf(seat).price_cents;
  }

  /** @param {number} seat */
  isAccessible(seat) {
    return (this._marks[seat] & ACCESSIBLE) !== 0;
  }

  /** @param {number} seat @returns {('accessible' | 'companion' | 'restricted')[]} what is particular about it */
  attributesOf(seat) {
    const marks = this._marks[seat];
    /** @type {('accessible' | 'companion' | 'restricted')[]} */
    const found = [];
    if (marks & ACCESSIBLE) found.push('accessible');
    if (marks & COMPANION) found.push('companion');
    if (marks & RESTRICTED) found.push('restricted');
    return found;
  }

  /** @returns {boolean} some seat has wheelchair access */
  get hasAccessible() {
    return this._marks.some((mark) => (mark & ACCESSIBLE) !== 0);
  }

  /** @param {number} seat @returns {boolean} there is an aisle between this seat and the one before it in its row */
  isAfterAisle(seat) {
    return (this._marks[seat] & AFTER_AISLE) !== 0;
  }

  /** @param {number} seat @returns {Point} */
  pointOf(seat) {
    return { x: this.x[seat], y: this.y[seat] };
  }

  /** @param {SectionJson} json @param {number} first @returns {number} the index after its last seat */
  _addSection(json, first) {
    const firstRow = this.rows.length;
    let next = first;
    for (const row of json.rows) next = this._addRow(row, next);
    const rows = this.rows.slice(firstRow);
    this.sections.push({
      name: json.name,
      firstRow,
      rowCount: rows.length,
      first,
      count: next - first,
      labelAt: { x: json.label_at[0], y: json.label_at[1] },
      outline: json.outline ?? [],
      box: boxAround(rows.map((row) => row.box)),
      category: mostCommon(this.category.subarray(first, next)),
    });
    return next;
  }

  /** @param {RowJson} json @param {number} first @returns {number} */
  _addRow(json, first) {
    const end = first + json.seats;
    placeSeats(json, this.x.subarray(first, end), this.y.subarray(first, end));
    this.row.fill(this.rows.length, first, end);
    this.category.fill(json.category ?? 0, first, end);
    if (json.categories) this.category.set(json.categories, first);
    for (const k of json.accessible ?? []) this._mark(first + k, ACCESSIBLE);
    for (const k of json.companion ?? []) this._mark(first + k, COMPANION);
    for (const k of json.restricted ?? []) this._mark(first + k, RESTRICTED);
    for (const k of json.aisles ?? []) this._mark(first + k, AFTER_AISLE);
    this.rows.push({
      label: json.label,
      section: this.sections.length,
      first,
      count: json.seats,
      numbers: json.numbers ?? null,
      box: boxOfSeats(this.x.subarray(first, end), this.y.subarray(first, end), this.seatRadius),
    });
    return end;
  }

  /** @param {number} seat @param {number} mark */
  _mark(seat, mark) {
    this._marks[seat] |= mark;
  }
}

/** @param {SectionJson} section */
function seatsOf(section) {
  return section.rows.reduce((sum, row) => sum + row.seats, 0);
}

/** @param {RowJson} row @param {Float32Array} xs @param {Float32Array} ys */
function placeSeats(row, xs, ys) {
  if (row.line) {
    const [x, y, dx, dy] = /** @type {[number, number, number, number]} */ (row.line);
    for (let k = 0; k < row.seats; k++) {
      xs[k] = x + k * dx;
      ys[k] = y + k * dy;
    }
  } else if (row.arc) {
    const [cx, cy, radius, start, step] = /** @type {[number, number, number, number, number]} */ (row.arc);
    for (let k = 0; k < row.seats; k++) {
      const angle = ((start + k * step) * Math.PI) / 180;
      xs[k] = cx + radius * Math.cos(angle);
      ys[k] = cy + radius * Math.sin(angle);
    }
  } else if (row.at) {
    for (let k = 0; k < row.seats; k++) {
      xs[k] = row.at[2 * k] ?? 0;
      ys[k] = row.at[2 * k + 1] ?? 0;
    }
  }
}

/** @param {Float32Array} xs @param {Float32Array} ys @param {number} margin @returns {Box} */
function boxOfSeats(xs, ys, margin) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let k = 0; k < xs.length; k++) {
    const x = xs[k];
    const y = ys[k];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  if (left > right) return { x: 0, y: 0, width: 0, height: 0 };
  return { x: left - margin, y: top - margin, width: right - left + 2 * margin, height: bottom - top + 2 * margin };
}

/** @param {Box[]} boxes @returns {Box} */
export function boxAround(boxes) {
  if (boxes.length === 0) return { x: 0, y: 0, width: 0, height: 0 };
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}

/** @param {Uint8Array} values @returns {number} */
function mostCommon(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best = 0;
  for (const [value, count] of counts) if (count > (counts.get(best) ?? 0)) best = value;
  return best;
}
