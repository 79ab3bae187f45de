// @ts-check
/**
 * What is said, and offered, when a choice would leave a single seat alone.
 *
 * @typedef {{label: string, act: () => void}} Way
 * @typedef {{of: 'hold' | 'release', text: string, ways: Way[]}} Advice
 *
 * @typedef {object} Acts
 * @property {(seats: number[]) => string} names "C14 and C15"
 * @property {(seats: number[]) => void} choose these, and hold them
 * @property {(() => void) | null} anyway hold what is chosen all the same; null: it would be refused
 * @property {(seats: number[]) => void} release
 */

import { h, icon } from '../dom.js';
import { T } from '../texts.js';

/**
 * @param {import('../state/orphans.js').Warning} warning
 * @param {number[]} chosen
 * @param {Acts} acts
 * @returns {Advice}
 */
export function holdAdvice({ alone, take, instead }, chosen, { names, choose, anyway }) {
  /** @type {Way[]} */
  const ways = [];
  if (take.length > 0) ways.push({ label: T.orphan.take(names(take)), act: () => choose([...chosen, ...take]) });
  if (instead.length > 0) ways.push({ label: T.orphan.instead(names(instead)), act: () => choose(instead) });
  if (anyway) ways.push({ label: T.orphan.anyway, act: anyway });
  return { of: 'hold', text: T.orphan.text(names(alone), alone.length), ways };
}

/**
 * @param {number[]} alone
 * @param {number[]} instead
 * @param {Acts} acts
 * @returns {Advice}
 */
export function releaseAdvice(alone, instead, { names, release }) {
  const ways = instead.length > 0 ? [{ label: T.orphan.releaseInstead(names(instead)), act: () => release(instead) }] : [];
  return { of: 'release', text: T.orphan.text(names(alone), alone.length), ways };
}

/** @param {Advice} advice @returns {HTMLElement} */
export function adviceElement({ text, ways }) {
  return h('div.advice', { role: 'group', 'aria-label': T.orphan.title, 'data-advice': true },
    h('p', null, icon('warning'), h('span', null, text, ' ', h('small', null, T.orphan.why))),
    ways.map(({ label, act }, k) =>
      h('button', { type: 'button', class: `button small ${k === 0 ? 'primary' : 'quiet'}`, 'data-key': `way-${k}`, onclick: act }, label)));
}
