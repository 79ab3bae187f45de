// @ts-check
/** Numbers that look random and follow from a text: the same text always gives the same ones. */

/**
 * @param {string} text
 * @returns {() => number} the next number, 0…1
 */
export function randomFrom(text) {
  let seed = 2_166_136_261;
  for (let k = 0; k < text.length; k++) seed = Math.imul(seed ^ text.charCodeAt(k), 16_777_619);
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
