// @ts-check
/**
 * The card beside the pointer: which seat or section this is, what it costs, what it is.
 *
 * @typedef {import('../state/camera.js').Point} Point
 * @typedef {import('../state/plan.js').Plan} Plan
 * @typedef {import('../state/sale.js').Sale} Sale
 * @typedef {import('../state/tally.js').Tally} Tally
 */

import { fill, h } from '../dom.js';
import { TIERS } from '../map/palette.js';
import { formatCents } from '../state/money.js';
import { T } from '../texts.js';
import { categoryName } from './words.js';

const AWAY_PX = 16;

export class HoverCard {
  /** @param {HTMLElement} frame the map's @param {Plan} plan @param {Sale} sale @param {Tally} tally */
  constructor(frame, plan, sale, tally) {
    this._frame = frame;
    this._plan = plan;
    this._sale = sale;
    this._tally = tally;
    this._shown = '';
    this._element = h('div.hover-card', { hidden: true, 'aria-hidden': 'true' });
    frame.append(this._element);
  }

  /** @param {{seat: number, section: number}} hovered @param {Point | null} at */
  show({ seat, section }, at) {
    this._element.hidden = !at || (seat < 0 && section < 0);
    if (this._element.hidden || !at) {
      this._shown = '';
      return;
    }
    const look = seat >= 0 ? this._sale.lookOf(seat) : `${this._tally.sections[section]}`;
    const key = `${seat} ${section} ${look}`;
    if (key !== this._shown) {
      this._shown = key;
      fill(this._element, seat >= 0 ? this._seat(seat) : this._section(section));
    }
    this._place(at);
  }

  /** @param {number} seat @returns {HTMLElement[]} */
  _seat(seat) {
    const look = this._sale.lookOf(seat);
    const category = this._plan.category[seat];
    const row = this._plan.rowOf(seat);
    return [
      h('div.hover-top', null, h('i', { class: `swatch tier-${category % TIERS}` }), h('span', null, T.map.section(this._plan.sectionOf(seat).name)), h('span.hover-tier', null, categoryName(this._plan, category))),
      h('div.hover-seat', null, h('span', null, h('small', null, T.order.row), row.label), h('span', null, h('small', null, T.order.seat), this._plan.numberOf(seat)),
        h('b', null, formatCents(this._plan.priceOf(seat), this._plan.currency))),
      h('div.hover-state', null, h('i', { class: `mark mark-${look}` }), T.looks[look], this._plan.attributesOf(seat).map((attribute) => ` · ${T.map[attribute]}`).join('')),
    ];
  }

  /** @param {number} section @returns {HTMLElement[]} */
  _section(section) {
    const { name, category, count } = this._plan.sections[section];
    return [
      h('div.hover-top', null, h('i', { class: `swatch tier-${category % TIERS}` }), h('span', null, T.map.section(name)), h('span.hover-tier', null, categoryName(this._plan, category))),
      h('div.hover-seat', null, h('b', null, formatCents(this._plan.categories[category].price_cents, this._plan.currency)), h('span', null, h('small', null, T.legend.available), T.list.leftOf(this._tally.sections[section], count))),
      h('div.hover-state', null, T.map.zoomHint),
    ];
  }

  /** @param {Point} at */
  _place({ x, y }) {
    const { clientWidth, clientHeight } = this._frame;
    const { offsetWidth, offsetHeight } = this._element;
    const left = x + AWAY_PX + offsetWidth > clientWidth - 8 ? x - AWAY_PX - offsetWidth : x + AWAY_PX;
    const top = Math.min(clientHeight - offsetHeight - 8, Math.max(8, y - offsetHeight / 2));
    this._element.style.transform = `translate(${Math.max(8, left)}px, ${top}px)`;
  }
}
