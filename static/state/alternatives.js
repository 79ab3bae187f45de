// @ts-check
/**
 * What to offer in place of seats that somebody else has got. No DOM.
 *
 * @typedef {import('./plan.js').Plan} Plan
 * @typedef {import('./runs.js').Runs} Runs
 */

import { leftAlone } from './orphans.js';
import { AVAILABLE } from './protocol.js';

/**
 * The nearest free seats for as many as were lost: beside those that are kept, else together, at no higher price and
 * leaving nobody alone while that can be.
 *
 * @param {Plan} plan
 * @param {Runs} runs
 * @param {Uint8Array} states
 * @param {number[]} lost
 * @param {number[]} kept chosen or held by the same customer
 * @returns {number[]} none: nothing fits
 */
export function alternativeFor(plan, runs, states, lost, kept) {
  const isFree = (/** @type {number} */ seat) => states[seat] === AVAILABLE && !kept.includes(seat) && !lost.includes(seat);
  const beside = besideThose(runs, isFree, lost, kept);
  if (beside) return beside;
  const terms = {
    count: lost.length,
    near: runs.middle(lost),
    isFree,
    like: lost,
  };
  const priceMost = Math.max(...lost.map((seat) => plan.priceOf(seat)));
  const isFine = (/** @type {number[]} */ block) => leftAlone(runs, isFree, block).length === 0;
  return runs.nearest({ ...terms, priceMost, isFine }) ?? runs.nearest({ ...terms, priceMost }) ?? runs.nearest(terms) ?? [];
}

/**
 * As many seats at the ends of what is kept of the same row, the nearest to what was lost.
 *
 * @param {Runs} runs @param {(seat: number) => boolean} isFree @param {number[]} lost @param {number[]} kept
 * @returns {number[] | null}
 */
function besideThose(runs, isFree, lost, kept) {
  const run = runs.of(lost[0]);
  const there = kept.filter((seat) => seat >= run.first && seat < run.end);
  if (there.length === 0 || lost.some((seat) => runs.of(seat) !== run)) return null;
  const [left, right] = [Math.min(...there), Math.max(...there)];
  const isTogether = right - left + 1 === there.length;
  const away = (/** @type {number[]} */ seats) => Math.abs(seats.reduce((sum, seat) => sum + seat, 0) / seats.length - lost[0]);
  /** @type {number[] | null} */
  let best = null;
  for (let before = 0; isTogether && before <= lost.length; before++) {
    const first = left - before;
    const seats = Array.from({ length: lost.length }, (_, k) => (k < before ? first + k : right + 1 + k - before));
    const areFree = seats.every((seat) => seat >= run.first && seat < run.end && isFree(seat));
    if (areFree && (best === null || away(seats) < away(best))) best = seats;
  }
  return best;
}
