// @ts-check
/**
 * What the seats cost and how many are left; a press shows only that price on the map.
 *
 * @typedef {import('../state/plan.js').Plan} Plan
 * @typedef {import('../state/tally.js').Tally} Tally
 */

import { fill, h } from '../dom.js';
import { TIERS } from '../map/palette.js';
import { formatCents } from '../state/money.js';
import { T } from '../texts.js';
import { categoryName } from './words.js';

export class Legend {
  /**
   * @param {HTMLElement} element
   * @param {Plan} plan
   * @param {(categories: ReadonlySet<number> | null) => void} onFilter
   */
  constructor(element, plan, onFilter) {
    /** @type {Set<number>} */
    const shown = new Set();
    this._counts = plan.categories.map(() => h('span.tier-left'));
    const used = new Set(plan.category);
    const order = plan.categories.map((_, k) => k).filter((k) => used.has(k));
    order.sort((a, b) => plan.categories[b].price_cents - plan.categories[a].price_cents);
    this._chips = order.map((k) => {
      const chip = h('button.chip.tier', { type: 'button', 'aria-pressed': 'false', title: T.legend.filterHint, 'data-category': k },
        h('i.swatch', { class: `swatch tier-${k % TIERS}`, 'aria-hidden': 'true' }),
        h('span.tier-name', null, categoryName(plan, k)),
        h('b', null, formatCents(plan.categories[k].price_cents, plan.currency)),
        this._counts[k]);
      chip.addEventListener('click', () => {
        if (!shown.delete(k)) shown.add(k);
        chip.setAttribute('aria-pressed', String(shown.has(k)));
        onFilter(shown.size > 0 ? shown : null);
      });
      return chip;
    });
    fill(element, this._chips);
  }

  /** @param {Tally} tally */
  update(tally) {
    this._counts.forEach((element, k) => {
      const text = T.legend.left(tally.categories[k]);
      if (element.textContent !== text) element.textContent = text;
    });
  }
}

/** @returns {HTMLElement} what the marks on the map mean */
export function marksLegend() {
  const looks = /** @type {const} */ (['available', 'accessible', 'held', 'sold', 'selected', 'mine']);
  return h('ul.marks', { 'aria-label': T.legend.states, role: 'list' },
    looks.map((look) => h('li', null, h('i', { class: `mark mark-${look}`, 'aria-hidden': 'true' }), T.legend[look])));
}
