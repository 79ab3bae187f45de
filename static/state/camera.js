// @ts-check
/**
 * Which part of the plan is seen, and how large. Pure functions on plain values.
 *
 * A camera turns plan units into CSS pixels: `screen = plan × scale + offset`.
 *
 * @typedef {{scale: number, x: number, y: number}} Camera
 * @typedef {{width: number, height: number}} View
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 * @typedef {{x: number, y: number}} Point
 */

/**
 * The camera that shows all of a box in the middle of the view.
 *
 * @param {Box} box plan units
 * @param {View} view CSS pixels
 * @param {number} [margin] CSS pixels kept free on each side
 * @returns {Camera}
 */
export function fit(box, view, margin = 24) {
  const width = Math.max(1, view.width - 2 * margin);
  const height = Math.max(1, view.height - 2 * margin);
  const scale = Math.min(width / Math.max(box.width, 1), height / Math.max(box.height, 1));
  return centre({ x: box.x + box.width / 2, y: box.y + box.height / 2 }, scale, view);
}

/**
 * The camera that has a point of the plan in the middle of the view.
 *
 * @param {Point} point plan units
 * @param {number} scale
 * @param {View} view
 * @returns {Camera}
 */
export function centre(point, scale, view) {
  return { scale, x: view.width / 2 - point.x * scale, y: view.height / 2 - point.y * scale };
}

/** @param {Camera} camera @param {Point} point @returns {Point} */
export function toScreen(camera, point) {
  return { x: point.x * camera.scale + camera.x, y: point.y * camera.scale + camera.y };
}

/** @param {Camera} camera @param {Point} point @returns {Point} */
export function toPlan(camera, point) {
  return { x: (point.x - camera.x) / camera.scale, y: (point.y - camera.y) / camera.scale };
}

/**
 * What of the plan is in view.
 *
 * @param {Camera} camera
 * @param {View} view
 * @returns {Box}
 */
export function visibleBox(camera, view) {
  const corner = toPlan(camera, { x: 0, y: 0 });
  return { ...corner, width: view.width / camera.scale, height: view.height / camera.scale };
}

/** @param {Camera} camera @param {number} dx @param {number} dy @returns {Camera} */
export function pan(camera, dx, dy) {
  return { scale: camera.scale, x: camera.x + dx, y: camera.y + dy };
}

/**
 * Zoom by a factor; the plan's point under `at` stays where it is.
 *
 * @param {Camera} camera
 * @param {number} factor
 * @param {Point} at CSS pixels
 * @param {{least: number, most: number}} limits of the scale
 * @returns {Camera}
 */
export function zoom(camera, factor, at, limits) {
  const scale = Math.min(limits.most, Math.max(limits.least, camera.scale * factor));
  const ratio = scale / camera.scale;
  return { scale, x: at.x - (at.x - camera.x) * ratio, y: at.y - (at.y - camera.y) * ratio };
}

/**
 * Two fingers moved: what was between them stays between them.
 *
 * @param {Camera} camera
 * @param {[Point, Point]} before
 * @param {[Point, Point]} after
 * @param {{least: number, most: number}} limits
 * @returns {Camera}
 */
export function pinch(camera, before, after, limits) {
  const apart = (/** @type {[Point, Point]} */ [a, b]) => Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
  const middle = (/** @type {[Point, Point]} */ [a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const from = middle(before);
  const to = middle(after);
  return pan(zoom(camera, apart(after) / apart(before), from, limits), to.x - from.x, to.y - from.y);
}

/**
 * The nearest camera that does not lose the plan: the middle of the view never goes far beyond a side of the box.
 *
 * @param {Camera} camera
 * @param {Box} box plan units
 * @param {View} view
 * @returns {Camera}
 */
export function keepInView(camera, box, view) {
  return {
    scale: camera.scale,
    x: keepAxis(camera.x, box.x * camera.scale, box.width * camera.scale, view.width),
    y: keepAxis(camera.y, box.y * camera.scale, box.height * camera.scale, view.height),
  };
}

/** @param {number} offset @param {number} start @param {number} size @param {number} view */
function keepAxis(offset, start, size, view) {
  const middle = view / 2 - start - size / 2;
  const reach = Math.max(0, (size - view) / 2) + Math.min(size, view) / 4;
  return Math.min(middle + reach, Math.max(middle - reach, offset));
}

/**
 * A camera on the way between two; `t` goes from 0 to 1. The scale grows evenly in steps of size.
 *
 * @param {Camera} from
 * @param {Camera} to
 * @param {View} view
 * @param {number} t
 * @returns {Camera}
 */
export function between(from, to, view, t) {
  const eased = t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2;
  const middle = { x: view.width / 2, y: view.height / 2 };
  const a = toPlan(from, middle);
  const b = toPlan(to, middle);
  const scale = from.scale * (to.scale / from.scale) ** eased;
  // The path over the plan follows the scale, so that a zoom seems to aim at its target all the way.
  const span = 1 / to.scale - 1 / from.scale;
  const along = Math.abs(span) < 1e-9 ? eased : (1 / scale - 1 / from.scale) / span;
  return centre({ x: a.x + (b.x - a.x) * along, y: a.y + (b.y - a.y) * along }, scale, view);
}
