// @ts-check
/**
 * The best seats for a party: how many first, then what they wish; the server picks, and holds them at once.
 *
 * @typedef {import('../state/plan.js').Plan} Plan
 * @typedef {import('../state/protocol.js').Wish} Wish
 *
 * @typedef {{room: number, isBusy: boolean, isClosed: boolean}} FinderState
 * `room`: how many more seats the customer may hold.
 */

import { fill, h, icon } from '../dom.js';
import { formatCents } from '../state/money.js';
import { SEATS_PER_COMMAND_MAX } from '../state/protocol.js';
import { T } from '../texts.js';

const PARTY_USUAL = 2;

export class Finder {
  /**
   * @param {HTMLElement} element
   * @param {Plan} plan
   * @param {number} ticketsMax
   * @param {Wish | null} wish what was asked for before
   * @param {(wish: Wish) => void} onFind
   */
  constructor(element, plan, ticketsMax, wish, onFind) {
    const most = Math.min(ticketsMax, SEATS_PER_COMMAND_MAX);
    const count = Math.min(most, wish?.count ?? PARTY_USUAL);
    this._sizes = Array.from({ length: most }, (_, k) =>
      h('input', { type: 'radio', name: 'party', value: k + 1, checked: k + 1 === count, 'aria-label': T.seats(k + 1) }));
    this._submit = h('button.button.primary', { type: 'submit' });
    this._problem = h('p.problem', { hidden: true, 'data-finder-problem': true });
    this._wishes = wishesOf(plan, wish);
    const wishes = h('div.finder-wishes', { id: 'finder-wishes', hidden: true }, this._wishes.elements);
    const opener = h('button.button.quiet', { type: 'button', 'aria-expanded': 'false', 'aria-controls': wishes.id, 'data-wishes': true,
      onclick: () => this._open(wishes.hidden) }, icon('wishes'), T.finder.wishes);
    this._opener = opener;
    this._inside = wishes;
    const find = (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      onFind({ count: this._count(), ...this._wishes.read() });
    };
    this._form = h('form.finder', { 'aria-label': T.finder.title, onsubmit: find },
      h('fieldset.party', null, h('legend', null, T.finder.howMany),
        h('div.party-sizes', null, this._sizes.map((size) => h('label', null, size, h('span', { 'aria-hidden': 'true' }, size.value))))),
      h('div.finder-buttons', null, opener, this._submit), wishes, this._problem);
    fill(element, this._form);
    this._form.addEventListener('change', () => this.tell(''));
    this._open(this._wishes.isSet());
  }

  /** @param {FinderState} state */
  show({ room, isBusy, isClosed }) {
    this._form.hidden = isClosed;
    for (const size of this._sizes) size.disabled = Number(size.value) > Math.max(1, room);
    if (this._sizes[this._count() - 1]?.disabled) this._sizes[Math.max(0, room - 1)].checked = true;
    this._submit.disabled = isBusy || room === 0;
    const text = isBusy ? T.finder.finding : T.finder.find;
    if (this._submit.textContent !== text) fill(this._submit, isBusy ? h('span.spinner', { 'aria-hidden': 'true' }) : icon('best'), text);
  }

  /** @param {string} problem why nothing was found; empty: none */
  tell(problem) {
    this._problem.hidden = problem === '';
    this._problem.textContent = problem;
  }

  /** @returns {number} */
  _count() {
    return Number(this._sizes.find((size) => size.checked)?.value ?? 1);
  }

  /** @param {boolean} isOpen */
  _open(isOpen) {
    this._inside.hidden = !isOpen;
    this._opener.setAttribute('aria-expanded', String(isOpen));
  }
}

/**
 * @param {Plan} plan
 * @param {Wish | null} wish
 * @returns {{elements: HTMLElement[], read: () => Omit<Wish, 'count'>, isSet: () => boolean}}
 */
function wishesOf(plan, wish) {
  const money = (/** @type {number} */ cents) => formatCents(cents, plan.currency);
  const sections = [...new Set(plan.sections.map(({ name }) => name))];
  const tiers = [...new Set(plan.categories.map(({ price_tier }) => price_tier))];
  const prices = [...new Set(plan.categories.map(({ price_cents }) => price_cents))].sort((a, b) => a - b);
  const section = choice(T.finder.anySection, sections.map((name) => [name, T.map.section(name)]), wish?.section);
  const tier = choice(T.finder.anyTier, tiers.map((name) => [name, T.tiers[name] ?? name]), wish?.price_tier);
  const price = choice(T.finder.anyPrice, prices.map((cents) => [String(cents), T.finder.upTo(money(cents))]), wish?.max_price_cents?.toString());
  const access = h('input', { type: 'checkbox', checked: wish?.accessible === true });
  return {
    elements: [
      h('label.wish', null, h('span', null, T.finder.section), section),
      h('label.wish', null, h('span', null, T.finder.tier), tier),
      h('label.wish', null, h('span', null, T.finder.price), price),
      plan.hasAccessible ? h('label.wish.is-check', null, access, h('span', null, T.finder.accessible)) : h('span', { hidden: true }),
    ],
    read: () => ({
      ...(section.value ? { section: section.value } : {}),
      ...(tier.value ? { price_tier: tier.value } : {}),
      ...(price.value ? { max_price_cents: Number(price.value) } : {}),
      ...(access.checked ? { accessible: true } : {}),
    }),
    isSet: () => Boolean(section.value || tier.value || price.value || access.checked),
  };
}

/** @param {string} any @param {[string, string][]} options @param {string} [chosen] @returns {HTMLSelectElement} */
function choice(any, options, chosen = '') {
  return h('select', null, [['', any], ...options].map(([value, text]) => h('option', { value, selected: value === chosen }, text)));
}
