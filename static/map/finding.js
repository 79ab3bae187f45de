// @ts-check
/**
 * What a visitor means by a point on the screen, and where the focus ring begins.
 *
 * @typedef {import('../state/camera.js').Camera} Camera
 * @typedef {import('../state/camera.js').Point} Point
 * @typedef {import('../state/neighbours.js').Neighbours} Neighbours
 * @typedef {import('../state/plan.js').Plan} Plan
 */

import { toPlan } from '../state/camera.js';
import { AVAILABLE } from '../state/protocol.js';
import { isInside } from '../state/shapes.js';

/** How far beside a seat still means it (CSS pixels). */
const TOUCH_REACH = 14;
const MOUSE_REACH = 5;
const SECTION_REACH = 10;

/**
 * @param {Plan} plan @param {Neighbours} neighbours @param {Camera} camera @param {Point} at @param {boolean} isTouch
 * @returns {number} the seat meant, -1 for none
 */
export function seatAt(plan, neighbours, camera, at, isTouch) {
  const { x, y } = toPlan(camera, at);
  const reach = (isTouch ? TOUCH_REACH : MOUSE_REACH) / camera.scale;
  return neighbours.at(x, y, Math.max(plan.seatRadius * 1.25, reach));
}

/**
 * @param {Plan} plan @param {Neighbours} neighbours @param {Camera} camera @param {Point} at
 * @returns {number} the section meant, -1 for none
 */
export function sectionAt(plan, neighbours, camera, at) {
  const { x, y } = toPlan(camera, at);
  const inside = plan.sections.findIndex(({ outline }) => isInside(outline, x, y));
  if (inside >= 0) return inside;
  const seat = neighbours.at(x, y, Math.max(plan.seatRadius * 3, SECTION_REACH / camera.scale));
  return seat < 0 ? -1 : plan.rowOf(seat).section;
}

/**
 * @param {Plan} plan @param {Uint8Array | null} states @param {number[]} own held or chosen by the visitor
 * @returns {number} a seat of one's own, or the available one nearest to what everybody looks at
 */
export function firstFocus(plan, states, own) {
  const [mine] = own;
  if (mine !== undefined) return mine;
  let best = 0;
  let least = Infinity;
  for (let seat = 0; seat < plan.count; seat++) {
    const { x, y } = plan.pointOf(seat);
    const distance = Math.hypot(x - plan.focal.x, y - plan.focal.y) + (states?.[seat] === AVAILABLE ? 0 : 1e6);
    if (distance < least) [least, best] = [distance, seat];
  }
  return best;
}
