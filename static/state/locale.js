// @ts-check
/** The locale that money, numbers and times are written in. */

/** @type {string | undefined} undefined: the browser's own */
let current;

/** @returns {string | undefined} */
export const locale = () => current;

/** Once, before anything is written. @param {string} tag BCP 47 */
export function setLocale(tag) {
  current = tag;
}
