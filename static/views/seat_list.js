// @ts-check
/**
 * The room as a list: sections, rows, seats. It does what the map does, with keys and for screen readers, and is as
 * live as the map. Rows and seats are made when they are opened: a room has tens of thousands.
 *
 * @typedef {import('../state/plan.js').Plan} Plan
 * @typedef {import('../state/tally.js').Tally} Tally
 * @typedef {import('../state/sale.js').Sale} Sale
 *
 * @typedef {object} ListListener
 * @property {(seat: number) => void} onToggle
 * @property {(section: number) => void} onOpen a section was opened
 * @property {(row: number) => void} onOpenRow
 */

import { fill, h, icon } from '../dom.js';
import { TIERS } from '../map/palette.js';
import { formatCents } from '../state/money.js';
import { T } from '../texts.js';
import { shortName, spokenSeat } from './words.js';

export class SeatList {
  /** @param {HTMLElement} element @param {Plan} plan @param {Sale} sale @param {Tally} tally @param {ListListener} listener */
  constructor(element, plan, sale, tally, listener) {
    this._plan = plan;
    this._sale = sale;
    this._tally = tally;
    this._listener = listener;
    /** @type {HTMLElement[]} where each section's and each opened row's count stands */
    this._sectionCounts = [];
    /** @type {Map<number, HTMLElement>} */
    this._rowCounts = new Map();
    /** @type {Map<number, HTMLButtonElement>} the buttons made so far, by seat */
    this._buttons = new Map();
    fill(element, h('ul.sections', { role: 'list' }, plan.sections.map((_, k) => this._section(k))));
    element.addEventListener('click', (event) => this._onClick(event));
    element.addEventListener('keydown', (event) => this._onKey(event));
    this.updateCounts();
  }

  /** @param {Iterable<number> | 'all'} seats that look different now */
  update(seats) {
    for (const seat of seats === 'all' ? this._buttons.keys() : seats) {
      const button = this._buttons.get(seat);
      if (button) this._dress(button, seat);
    }
  }

  updateCounts() {
    const { sections, rows } = this._plan;
    this._sectionCounts.forEach((element, k) => writeCount(element, this._tally.sections[k], sections[k].count));
    for (const [k, element] of this._rowCounts) writeCount(element, this._tally.rows[k], rows[k].count);
  }

  /** @param {number} k @returns {HTMLElement} */
  _section(k) {
    const section = this._plan.sections[k];
    const count = (this._sectionCounts[k] = h('span.count'));
    const inside = h('div.inside', { hidden: true, id: `section-${k}` });
    const categories = new Set(this._plan.category.subarray(section.first, section.first + section.count));
    const prices = new Set([...categories].map((category) => this._plan.categories[category].price_cents));
    const least = formatCents(Math.min(...prices), this._plan.currency);
    return h('li', null,
      h('button.opener', { type: 'button', 'aria-expanded': 'false', 'aria-controls': inside.id, 'data-section': k, 'data-name': section.name },
        icon('chevron'), h('i', { class: `swatch tier-${section.category % TIERS}`, 'aria-hidden': 'true' }),
        h('span.opener-name', null, T.map.section(section.name)),
        h('span.price', null, prices.size > 1 ? T.list.from(least) : least), count),
      inside);
  }

  /** @param {number} k @returns {HTMLElement} */
  _row(k) {
    const row = this._plan.rows[k];
    const count = h('span.count');
    this._rowCounts.set(k, count);
    const inside = h('div.seats', { hidden: true, id: `row-${k}`, role: 'group', 'aria-label': T.list.seatsOf(row.label) });
    return h('li', null,
      h('button.opener.is-row', { type: 'button', 'aria-expanded': 'false', 'aria-controls': inside.id, 'data-row': k, 'data-name': row.label },
        icon('chevron'), h('span.opener-name', null, T.list.row(row.label)), count),
      inside);
  }

  /** @param {number} k @returns {HTMLElement[]} */
  _seats(k) {
    const { first, count } = this._plan.rows[k];
    return Array.from({ length: count }, (_, place) => {
      const seat = first + place;
      const button = h('button.seat', { type: 'button', 'data-seat': seat, tabindex: place === 0 ? 0 : -1 }, this._plan.numberOf(seat));
      if (this._plan.isAfterAisle(seat)) button.classList.add('after-aisle');
      this._buttons.set(seat, button);
      this._dress(button, seat);
      return button;
    });
  }

  /** @param {HTMLButtonElement} button @param {number} seat */
  _dress(button, seat) {
    const look = this._sale.lookOf(seat);
    const isMine = look === 'mine' || look === 'selected';
    button.dataset['look'] = look;
    button.setAttribute('aria-pressed', String(isMine));
    button.setAttribute('aria-disabled', String(!isMine && look !== 'available'));
    button.setAttribute('aria-label', spokenSeat(this._plan, seat, look));
    button.title = shortName(this._plan, seat);
    button.classList.toggle('is-accessible', this._plan.isAccessible(seat));
  }

  /** @param {Event} event */
  _onClick(event) {
    const button = event.target instanceof Element ? event.target.closest('button') : null;
    if (!button) return;
    const { seat, section, row } = button.dataset;
    if (seat !== undefined) {
      this._focusSeat(button);
      this._listener.onToggle(Number(seat));
    } else if (section !== undefined) this._toggle(button, Number(section), true);
    else if (row !== undefined) this._toggle(button, Number(row), false);
  }

  /** @param {HTMLButtonElement} button @param {number} k @param {boolean} isSection */
  _toggle(button, k, isSection) {
    const inside = /** @type {HTMLElement} */ (button.nextElementSibling);
    inside.hidden = !inside.hidden;
    button.setAttribute('aria-expanded', String(!inside.hidden));
    if (inside.hidden) return;
    if (!inside.hasChildNodes()) {
      if (isSection) {
        const { firstRow, rowCount } = this._plan.sections[k];
        inside.append(h('ul.rows', { role: 'list' }, Array.from({ length: rowCount }, (_, place) => this._row(firstRow + place))));
        this.updateCounts();
      } else inside.append(...this._seats(k));
    }
    if (isSection) this._listener.onOpen(k);
    else this._listener.onOpenRow(k);
  }

  /** Arrow keys move within a row's seats, which are one Tab stop. @param {KeyboardEvent} event */
  _onKey(event) {
    const target = event.target instanceof HTMLButtonElement ? event.target : null;
    if (!target || target.dataset['seat'] === undefined) return;
    const seats = /** @type {HTMLButtonElement[]} */ ([.../** @type {Element} */ (target.parentElement).children]);
    const place = seats.indexOf(target);
    const to = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: seats.length - 1,
      ArrowDown: nextLine(seats, place, 1), ArrowUp: nextLine(seats, place, -1) }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = seats[Math.min(seats.length - 1, Math.max(0, to))];
    this._focusSeat(next);
    next.focus();
  }

  /** @param {HTMLButtonElement} button the one of its row that Tab reaches from now on */
  _focusSeat(button) {
    for (const other of button.parentElement?.children ?? []) /** @type {HTMLElement} */ (other).tabIndex = -1;
    button.tabIndex = 0;
  }
}

/** @param {HTMLElement} element @param {number} left @param {number} of */
function writeCount(element, left, of) {
  const text = left === 0 ? T.list.none : T.list.left(left);
  if (element.textContent === text) return;
  element.textContent = text;
  element.setAttribute('aria-label', T.list.leftSpoken(left, of));
  element.classList.toggle('is-none', left === 0);
}

/** The seat below or above in the wrapped lines of buttons. @param {HTMLElement[]} seats @param {number} place
 * @param {number} step @returns {number} */
function nextLine(seats, place, step) {
  const { offsetLeft, offsetTop } = seats[place];
  const lines = seats.filter((seat) => (seat.offsetTop - offsetTop) * step > 0);
  if (lines.length === 0) return place;
  const line = step > 0 ? lines[0].offsetTop : lines[lines.length - 1].offsetTop;
  let best = place;
  for (const seat of lines) {
    if (seat.offsetTop !== line) continue;
    if (best === place || Math.abs(seat.offsetLeft - offsetLeft) < Math.abs(seats[best].offsetLeft - offsetLeft)) best = seats.indexOf(seat);
  }
  return best;
}
