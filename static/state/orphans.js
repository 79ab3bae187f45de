// @ts-check
/**
 * The orphan rule as the page warns of it: which single seat a choice would leave alone, and the way out. No DOM.
 *
 * The same rule as the server's: nothing is said when there is no other way, nor at the end of a sale.
 *
 * @typedef {import('./plan.js').Plan} Plan
 * @typedef {import('./runs.js').Runs} Runs
 * @typedef {{alone: number[], take: number[], instead: number[]}} Warning
 * `take`: seats to choose as well, `instead`: seats to choose in place of all that are chosen; empty: that is no way.
 */

import { AVAILABLE } from './protocol.js';

/** When no more of an event's seats are left, each of them counts. */
const FEW_SEATS_LEFT = 0.05;

/**
 * Which free seats would be alone if these were taken, and are not alone now.
 *
 * @param {Runs} runs
 * @param {(seat: number) => boolean} isFree
 * @param {readonly number[]} seats
 * @returns {number[]} in index order
 */
export function leftAlone(runs, isFree, seats) {
  const taken = new Set(seats);
  /** @type {Set<number>} */
  const alone = new Set();
  for (const seat of seats) {
    const { first, end } = runs.of(seat);
    const isLeft = (/** @type {number} */ other) => other >= first && other < end && isFree(other) && !taken.has(other);
    if (isLeft(seat - 1) && !isLeft(seat - 2)) alone.add(seat - 1);
    if (isLeft(seat + 1) && !isLeft(seat + 2)) alone.add(seat + 1);
  }
  return [...alone].sort((a, b) => a - b);
}

/**
 * What to warn of before these free seats are held.
 *
 * @param {Plan} plan
 * @param {Runs} runs
 * @param {Uint8Array} states
 * @param {number[]} seats
 * @param {number} room how many seats the customer may have
 * @returns {Warning | null}
 */
export function warningOf(plan, runs, states, seats, room) {
  const isFree = (/** @type {number} */ seat) => states[seat] === AVAILABLE;
  const alone = leftAlone(runs, isFree, seats);
  if (alone.length === 0) return null;
  let available = 0;
  for (const state of states) if (state === AVAILABLE) available += 1;
  if (available <= FEW_SEATS_LEFT * plan.count) return null;

  /** @type {number[]} */
  let instead = [];
  /** @type {Set<number>} */
  const atFault = new Set();
  for (const group of byRun(runs, seats)) {
    const run = runs.of(group[0]);
    const beside = alone.filter((seat) => seat >= run.first && seat < run.end);
    const others = seats.filter((seat) => !group.includes(seat));
    const better = beside.length > 0 ? anotherWay(plan, runs, isFree, group, others) : null;
    instead.push(...(better ?? group));
    if (better) for (const seat of beside) atFault.add(seat);
  }
  if (atFault.size === 0) return null;
  if (new Set(instead).size < seats.length || leftAlone(runs, isFree, instead).length > 0) instead = [];
  const take = seats.length + alone.length <= room ? alone : [];
  return { alone: [...atFault], take, instead: instead.sort((a, b) => a - b) };
}

/**
 * Seats for a group that leave nobody alone, while the others of its party sit where they want to: along the row,
 * else in the section at no higher price.
 *
 * @param {Plan} plan @param {Runs} runs @param {(seat: number) => boolean} isFree @param {number[]} group
 * @param {number[]} others
 * @returns {number[] | null}
 */
function anotherWay(plan, runs, isFree, group, others) {
  const run = runs.of(group[0]);
  const isOpen = (/** @type {number} */ seat) => isFree(seat) && !others.includes(seat);
  const terms = {
    count: group.length,
    near: runs.middle(group),
    isFree: isOpen,
    priceMost: plan.priceOf(run.first),
    section: plan.sectionOf(run.first).name,
    like: group,
    isFine: (/** @type {number[]} */ block) => leftAlone(runs, isOpen, block).length === 0,
  };
  return runs.nearest(terms, [run]) ?? runs.nearest(terms);
}

/** @param {Runs} runs @param {readonly number[]} seats @returns {number[][]} those of one run together */
function byRun(runs, seats) {
  /** @type {Map<unknown, number[]>} */
  const groups = new Map();
  for (const seat of [...seats].sort((a, b) => a - b)) {
    const run = runs.of(seat);
    groups.set(run, [...(groups.get(run) ?? []), seat]);
  }
  return [...groups.values()];
}
