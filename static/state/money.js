// @ts-check
/** Amounts of money as people read them. */

import { locale as ours } from './locale.js';

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/**
 * "$85", "$99.50": cents are shown where there are any.
 *
 * @param {number} cents
 * @param {string} [currency] ISO 4217
 * @param {string} [locale]
 * @returns {string}
 */
export function formatCents(cents, currency = 'USD', locale = ours()) {
  const digits = cents % 100 === 0 ? 0 : 2;
  const key = `${currency} ${digits} ${locale ?? ''}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, {
      style: 'currency', currency, currencyDisplay: 'narrowSymbol', minimumFractionDigits: digits, maximumFractionDigits: digits,
    });
    formats.set(key, format);
  }
  return format.format(cents / 100);
}

/**
 * Cents of an amount in the major unit, as REST gives it.
 *
 * @param {number} amount
 * @returns {number}
 */
export function centsOf(amount) {
  return Math.round(amount * 100);
}
