// @ts-check
/**
 * Texts of a locale as functions.
 *
 * A text with places, "{0} of {1}", becomes a function of what goes there. A text with plural forms (`one`, `other`,
 * the categories of Intl.PluralRules) takes the form for the last number that it is given. Other texts stay texts.
 */

const FORMS = ['zero', 'one', 'two', 'few', 'many', 'other'];

/**
 * @param {any} texts as the locale's JSON has them
 * @param {string} locale BCP 47
 * @returns {any} the same tree
 */
export function phrases(texts, locale) {
  const rules = new Intl.PluralRules(locale);
  const number = new Intl.NumberFormat(locale);
  const write = (/** @type {unknown} */ value) => (typeof value === 'number' ? number.format(value) : String(value));
  const put = (/** @type {string} */ text, /** @type {unknown[]} */ values) => text.replace(/\{(\d)\}/g, (_, place) => write(values[place]));

  /** @param {any} text @returns {any} */
  const made = (text) => {
    if (typeof text === 'string') return /\{\d\}/.test(text) ? (/** @type {unknown[]} */ ...values) => put(text, values) : text;
    if (Array.isArray(text)) return text.map(made);
    if (hasForms(text)) {
      return (/** @type {unknown[]} */ ...values) => {
        const count = values.findLast((value) => typeof value === 'number');
        return put(text[rules.select(Number(count))] ?? text.other, values);
      };
    }
    return Object.fromEntries(Object.entries(text).map(([key, value]) => [key, made(value)]));
  };
  return made(texts);
}

/** @param {object} text @returns {boolean} */
function hasForms(text) {
  return 'other' in text && Object.keys(text).every((key) => FORMS.includes(key));
}
