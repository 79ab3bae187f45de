// @ts-check
/**
 * What is said in place of the basket while nothing can be bought.
 *
 * @typedef {{status: string, onSaleAtMs: number, orphanRule: string}} SaleStatus
 */

import { fill, h } from '../dom.js';
import { formatMoment, partsOf } from '../state/times.js';
import { T } from '../texts.js';

/**
 * A clock that counts down to the start of a sale.
 *
 * @param {() => number} now the server's time
 * @param {AbortSignal} signal
 * @returns {{element: HTMLElement, until: (startsAt: number) => void}}
 */
export function startsClock(now, signal) {
  let startsAt = 0;
  const element = h('div.starts', { role: 'timer', 'aria-label': T.event.startsIn });
  const tick = () => {
    const { days, hours, minutes, seconds } = partsOf(startsAt - now());
    const part = (/** @type {number} */ n, /** @type {string} */ unit) => h('span', null, h('b', null, String(n).padStart(2, '0')), unit);
    fill(element, days > 0 ? part(days, T.event.days) : null, part(hours, T.event.hours), part(minutes, T.event.minutes), part(seconds, T.event.seconds));
  };
  const timer = setInterval(() => element.isConnected && tick(), 1_000);
  signal.addEventListener('abort', () => clearInterval(timer));
  return {
    element,
    until: (at) => {
      startsAt = at;
      tick();
    },
  };
}

/**
 * @param {() => number} now the server's time
 * @param {AbortSignal} signal
 * @returns {{show: (status: SaleStatus) => HTMLElement | null}} null: seats are on sale
 */
export function closedNotice(now, signal) {
  const clock = startsClock(now, signal);

  /** @param {string} title @param {string} text @param {HTMLElement | null} [extra] */
  const say = (title, text, extra = null) => h('section.closed', { 'data-closed': true }, h('h2', null, title), h('p', null, text), extra);

  return {
    show({ status, onSaleAtMs }) {
      if (status === 'sold_out') return say(T.event.soldOutTitle, T.event.soldOut);
      if (status === 'completed') return say(T.event.overTitle, T.event.over);
      if (status === 'cancelled') return say(T.event.cancelledTitle, T.event.cancelled);
      if (status !== 'upcoming') return null;
      clock.until(onSaleAtMs);
      return say(T.event.notOnSaleTitle, T.event.notOnSale(formatMoment(onSaleAtMs)), clock.element);
    },
  };
}
