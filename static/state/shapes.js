// @ts-check
/** Polygons as the plan has them: x0, y0, x1, y1, … */

/** @param {number[]} outline @returns {import('./camera.js').Box} */
export function boxOfOutline(outline) {
  const xs = outline.filter((_, k) => k % 2 === 0);
  const ys = outline.filter((_, k) => k % 2 === 1);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/**
 * Is a point inside of a polygon?
 *
 * @param {number[]} outline
 * @param {number} x
 * @param {number} y
 * @returns {boolean}
 */
export function isInside(outline, x, y) {
  let inside = false;
  for (let k = 0, before = outline.length - 2; k < outline.length; before = k, k += 2) {
    const [ax, ay, bx, by] = [outline[k], outline[k + 1], outline[before], outline[before + 1]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}
