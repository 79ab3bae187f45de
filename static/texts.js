// @ts-check
/** Every word that the pages say, in the visitor's language: `locales/en.json` and its translations. */

import { language, locale } from './language.js';
import { setLocale } from './state/locale.js';
import { phrases } from './state/phrases.js';

setLocale(locale);
const answer = await fetch(new URL(`./locales/${language}.json`, import.meta.url));
if (!answer.ok) throw new Error(`No texts in ${language}: ${answer.status}`);
const said = phrases(await answer.json(), locale);

const IS_MARK = /^[A-Z]?\d*[A-Z]?$/;
const MINUTES_FROM_S = 90;

/** @param {string} name @returns {string} "Section 102"; "Floor A" says itself what it is */
const section = (name) => (IS_MARK.test(name) ? said.map.section(name) : name);

/** What is more than a text with places. Everything else is as the locale has it: a text, or a function of its places. */
export const T = {
  ...said,
  connection: {
    ...said.connection,
    lastUpdate: (/** @type {number} */ s) => (s < MINUTES_FROM_S ? said.connection.lastUpdate(s) : said.connection.lastUpdateMinutes(Math.round(s / 60))),
  },
  map: {
    ...said.map,
    section,
    seat: (/** @type {string} */ name, /** @type {string} */ row, /** @type {string} */ number) => said.map.seat(section(name), row, number),
    short: (/** @type {string} */ row, /** @type {string} */ number) => (/\d$/.test(row) ? `${row}-${number}` : `${row}${number}`),
  },
  orders: { ...said.orders, number: (/** @type {string} */ id) => said.orders.number(id.slice(0, 8).toUpperCase()) },
  list_of: (/** @type {string[]} */ items) => new Intl.ListFormat(locale, { style: 'long', type: 'conjunction' }).format(items),
};
