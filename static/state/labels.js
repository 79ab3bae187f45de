// @ts-check
/**
 * Which labels can be read beside each other. No DOM.
 *
 * @typedef {import('./camera.js').Box} Box
 */

/**
 * As many as there is room for, the first ones first.
 *
 * @template {{box: Box}} Label
 * @param {readonly Label[]} labels the weightiest first
 * @returns {Label[]} those that overlap none before them
 */
export function apart(labels) {
  /** @type {Label[]} */
  const kept = [];
  for (const label of labels) if (!kept.some((other) => overlap(label.box, other.box))) kept.push(label);
  return kept;
}

/** @param {Box} a @param {Box} b */
function overlap(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
