// @ts-check
/**
 * Seats in words.
 *
 * @typedef {import('../state/plan.js').Plan} Plan
 */

import { formatCents } from '../state/money.js';
import { T } from '../texts.js';

/** @param {Plan} plan @param {number} seat @returns {string} "C14" */
export function shortName(plan, seat) {
  return T.map.short(plan.rowOf(seat).label, plan.numberOf(seat));
}

/** @param {Plan} plan @param {number[]} seats @returns {string} "C14, C15 and C16" */
export function shortNames(plan, seats) {
  return T.list_of([...seats].sort((a, b) => a - b).map((seat) => shortName(plan, seat)));
}

/** @param {Plan} plan @param {number[][]} groups @returns {string} "C14 and C15 (Section 102) and D3 (Section 103)" */
export function groupNames(plan, groups) {
  return T.list_of(groups.map((seats) => T.finder.group(T.map.section(plan.sectionOf(seats[0]).name), shortNames(plan, seats))));
}

/** @param {Plan} plan @param {number} seat @returns {string} "Section 102, row C, seat 14" */
export function longName(plan, seat) {
  return T.map.seat(plan.sectionOf(seat).name, plan.rowOf(seat).label, plan.numberOf(seat));
}

/**
 * "Section 102, row C, seat 14, available, $85"
 *
 * @param {Plan} plan
 * @param {number} seat
 * @param {keyof typeof T.looks} look
 * @returns {string}
 */
export function spokenSeat(plan, seat, look) {
  const parts = [longName(plan, seat)];
  for (const attribute of plan.attributesOf(seat)) parts.push(T.map[attribute]);
  parts.push(T.looks[look], formatCents(plan.priceOf(seat), plan.currency));
  return parts.join(', ');
}

/** @param {{name: string, city: string}} venue @returns {string} "The O2 Arena, London" */
export function placeOf({ name, city }) {
  return [name, city].filter(Boolean).join(', ');
}

/** @param {Plan} plan @param {number} category @returns {string} "VIP" */
export function categoryName(plan, category) {
  const { name, price_tier } = plan.categories[category];
  return T.tiers[price_tier] ?? (name || price_tier);
}
