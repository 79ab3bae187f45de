// @ts-check
/**
 * The customer's side of the event page: what is chosen, what is held and until when, and paying for it.
 *
 * It shows the sale as it is and tells what the customer wants; it decides nothing.
 *
 * @typedef {import('../state/plan.js').Plan} Plan
 * @typedef {import('../state/sale.js').Sale} Sale
 * @typedef {import('./advice.js').Advice} Advice
 *
 * @typedef {object} BasketListener
 * @property {() => void} onHold
 * @property {(seat: number) => void} onRemove a chosen seat
 * @property {() => void} onClear all chosen ones
 * @property {(seats: number[]) => void} onRelease of held seats; empty: all
 * @property {() => void} onExtend
 * @property {(method: string) => void} onPay
 * @property {() => void} onSignIn
 * @property {(seat: number) => void} onShow where it is on the map
 *
 * @typedef {{plan: Plan, sale: Sale, isSignedIn: boolean, isLive: boolean, closed: HTMLElement | null,
 *   isLine: boolean, turn: HTMLElement | null,
 *   countdown: HTMLElement, problem: string, advice: Advice | null, ticketsMax: number}} BasketState
 * `closed`: what is said instead while nothing can be bought; `isLine`: it is the waiting room. `turn`: my time in the sale. `problem`: of the last command. `advice`: what to do
 * instead of it.
 */

import { fill, h, icon } from '../dom.js';
import { formatCents } from '../state/money.js';
import { T } from '../texts.js';
import { adviceElement } from './advice.js';
import { longName, shortName } from './words.js';

export class Basket {
  /** @param {HTMLElement} element @param {BasketListener} listener */
  constructor(element, listener) {
    this._element = element;
    this._listener = listener;
    this._method = T.basket.methods[0].value;
  }

  /** @param {BasketState} state */
  show(state) {
    const { sale, closed } = state;
    const focused = keyOfFocus(this._element);
    const hasHold = sale.hold.seats.length > 0;
    const hasChoice = sale.selected.length > 0;
    this._element.dataset['stage'] = hasHold ? 'held' : hasChoice ? 'chosen' : 'empty';
    this._element.classList.toggle('is-closed', closed !== null && !hasHold);
    this._element.classList.toggle('is-line', state.isLine);
    this._element.classList.toggle('has-turn', state.turn !== null);
    fill(this._element,
      state.problem ? h('p.problem', { 'data-problem': true }, state.problem) : null,
      hasHold ? null : state.turn,
      closed && state.isLine && !hasHold ? closed : null,
      hasHold ? this._held(state) : null,
      hasChoice ? this._chosen(state) : null,
      closed && !state.isLine && !hasHold ? closed : null,
      !hasHold && !hasChoice && !closed ? empty(state.ticketsMax) : null);
    if (focused !== null) focusAgain(this._element, focused);
  }

  /** @param {BasketState} state @returns {HTMLElement} */
  _chosen({ plan, sale, isSignedIn, isLive, closed, isLine, advice }) {
    const { selected, hold } = sale;
    const total = selected.reduce((sum, seat) => sum + plan.priceOf(seat), 0);
    const isHolding = sale.pendingOf('hold_seats') !== null;
    const label = hold.seats.length > 0 ? T.basket.holdMore(selected.length) : T.basket.hold(selected.length);
    const button = isSignedIn
      ? h('button.button.primary.wide', { type: 'button', 'data-key': 'hold', disabled: isHolding || closed !== null, onclick: () => this._listener.onHold() },
        isHolding ? [h('span.spinner', { 'aria-hidden': 'true' }), T.basket.holding] : label)
      : h('button.button.primary.wide', { type: 'button', 'data-key': 'sign-in', onclick: () => this._listener.onSignIn() }, T.basket.signInToHold);
    return h('section.chosen', { 'aria-labelledby': 'chosen-title' },
      h('div.basket-head', null, h('h2', { id: 'chosen-title' }, T.basket.chosen),
        h('button.link', { type: 'button', 'data-key': 'clear', disabled: isHolding, onclick: () => this._listener.onClear() }, T.basket.clear)),
      h('ul.picked', { role: 'list' }, selected.map((seat) =>
        this._seat(plan, seat, T.basket.remove(shortName(plan, seat)), isHolding, () => this._listener.onRemove(seat)))),
      h('div.total', null, h('span', null, T.seats(selected.length)), h('b', null, formatCents(total, plan.currency))),
      isLine ? h('p.hint', null, T.line.choiceKept) : advice?.of === 'hold' && !isHolding ? adviceElement(advice) : button,
      isSignedIn || isLine ? null : h('p.hint', null, T.basket.signInKeeps),
      isHolding && !isLive ? h('p.hint', null, T.basket.notSentYet) : null);
  }

  /** @param {BasketState} state @returns {HTMLElement} */
  _held({ plan, sale, isLive, countdown, advice }) {
    const { hold } = sale;
    const isPaying = sale.pendingOf('checkout') !== null || sale.pendingOrder !== null;
    return h('section.held', { 'aria-labelledby': 'held-title' },
      h('div.held-top', null, countdown, this._extension(sale, isPaying)),
      h('div.basket-head', null, h('h2', { id: 'held-title' }, T.basket.held),
        h('button.link', { type: 'button', 'data-key': 'release-all', disabled: isPaying, onclick: () => this._listener.onRelease([]) }, T.basket.releaseAll)),
      h('ul.picked', { role: 'list' }, hold.seats.map((seat) =>
        this._seat(plan, seat, T.basket.release(shortName(plan, seat)), isPaying, () => this._listener.onRelease([seat])))),
      advice?.of === 'release' ? adviceElement(advice) : null,
      h('div.total', null, h('span', null, T.basket.total), h('b', { 'data-total': hold.total_cents }, formatCents(hold.total_cents, plan.currency))),
      this._payment(plan, sale, isPaying, isLive));
  }

  /** @param {Sale} sale @param {boolean} isPaying @returns {HTMLElement} */
  _extension(sale, isPaying) {
    if (sale.isExtended) return h('span.hint', null, T.basket.extended);
    const isAsked = sale.pendingOf('extend_hold') !== null;
    return h('button.button.quiet.small', { type: 'button', 'data-key': 'extend', title: T.basket.extendHint, disabled: isPaying || isAsked, onclick: () => this._listener.onExtend() },
      icon('clock'), T.basket.extend);
  }

  /** @param {Plan} plan @param {Sale} sale @param {boolean} isPaying @param {boolean} isLive @returns {HTMLElement} */
  _payment(plan, sale, isPaying, isLive) {
    const methods = T.basket.methods.map((/** @type {{value: string, label: string, hint: string}} */ { value, label, hint }) =>
      h('label.method', null,
        h('input', { type: 'radio', name: 'method', value, 'data-key': `method-${value}`, checked: value === this._method, disabled: isPaying, onchange: () => (this._method = value) }),
        h('span', null, label, h('small', null, hint))));
    const pay = (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      if (!isPaying) this._listener.onPay(this._method);
    };
    return h('form.payment', { onsubmit: pay },
      h('fieldset', null, h('legend', null, T.basket.payment), methods),
      h('button.button.primary.wide', { type: 'submit', 'data-key': 'pay', disabled: isPaying },
        isPaying ? [h('span.spinner', { 'aria-hidden': 'true' }), T.basket.paying] : T.basket.pay(formatCents(sale.hold.total_cents, plan.currency))),
      h('p.hint', null, sale.pendingOrder ? T.basket.waitingForBank : isPaying && !isLive ? T.basket.notSentYet : T.basket.testOnly));
  }

  /** @param {Plan} plan @param {number} seat @param {string} label @param {boolean} isDisabled @param {() => void} remove
   * @returns {HTMLElement} */
  _seat(plan, seat, label, isDisabled, remove) {
    return h('li', { 'data-picked': seat },
      h('button.picked-name', { type: 'button', 'data-key': `show-${seat}`, title: T.list.showOnMap, 'aria-label': `${longName(plan, seat)}. ${T.list.showOnMap}`, onclick: () => this._listener.onShow(seat) },
        h('b', null, shortName(plan, seat)), h('span', null, T.map.section(plan.sectionOf(seat).name))),
      h('span.price', null, formatCents(plan.priceOf(seat), plan.currency)),
      h('button.icon-button', { type: 'button', 'data-key': `remove-${seat}`, 'aria-label': label, disabled: isDisabled, onclick: remove }, icon('close')));
  }
}

/** @param {number} ticketsMax @returns {HTMLElement} */
function empty(ticketsMax) {
  return h('section.basket-empty', null, h('h2', null, T.basket.emptyTitle), h('p', null, T.basket.empty),
    h('ol', null, T.basket.emptySteps.map((/** @type {string} */ step) => h('li', null, step))),
    h('p.hint', null, T.event.perCustomer(ticketsMax)));
}

/** @param {HTMLElement} element @returns {string | null} */
function keyOfFocus(element) {
  const active = document.activeElement;
  return active instanceof HTMLElement && element.contains(active) ? (active.dataset['key'] ?? '') : null;
}

/** The contents were made anew: the focus goes where it was, or to what came in its place. @param {HTMLElement} element
 * @param {string} key */
function focusAgain(element, key) {
  const same = element.querySelector(`[data-key="${CSS.escape(key)}"]:not(:disabled)`);
  const next = same ?? element.querySelector('[data-key="way-0"], [data-key="pay"]:not(:disabled), [data-key="hold"]:not(:disabled)') ?? element;
  if (next === element) element.tabIndex = -1;
  /** @type {HTMLElement} */ (next).focus({ preventScroll: same !== null });
}
