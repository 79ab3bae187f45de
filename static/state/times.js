// @ts-check
/** Times as people read them, in the visitor's zone, and the clock of the server. */

import { locale } from './locale.js';

/** @typedef {{hours: number, minutes: number, seconds: number, days: number}} Parts */

/** @param {Intl.DateTimeFormatOptions} options */
const format = (options) => {
  /** @type {Intl.DateTimeFormat | undefined} made at first use: by then the language is known */
  let made;
  return /** @param {string | number | Date} when */ (when) => (made ??= new Intl.DateTimeFormat(locale(), options)).format(new Date(when));
};

/** "Sat 3 Jan 2026, 20:00 CET" */
export const formatMoment = format({
  weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: 'numeric', minute: '2-digit',
  timeZoneName: 'short',
});

/** "3 Jan, 20:00" */
export const formatShort = format({ day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' });

/** "Jan", "3", "Sat": the parts of a calendar leaf. */
export const formatMonth = format({ month: 'short' });
export const formatDayOfMonth = format({ day: 'numeric' });
export const formatWeekday = format({ weekday: 'short' });

/**
 * A stretch of time as a clock shows it: "9:58", "1:02:03".
 *
 * @param {number} ms
 * @returns {string}
 */
export function formatCountdown(ms) {
  const { days, hours, minutes, seconds } = partsOf(ms);
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const wholeHours = days * 24 + hours;
  return wholeHours > 0 ? `${wholeHours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/**
 * Days, hours, minutes and seconds of a stretch of time; a started second counts as a whole one.
 *
 * @param {number} ms
 * @returns {Parts}
 */
export function partsOf(ms) {
  const total = Math.max(0, Math.ceil(ms / 1000));
  return {
    days: Math.floor(total / 86_400),
    hours: Math.floor(total / 3_600) % 24,
    minutes: Math.floor(total / 60) % 60,
    seconds: total % 60,
  };
}

const SAMPLES_KEPT = 8;

/**
 * The server's time, learned from the times its messages carry.
 *
 * A message is always a little old when it arrives, so the largest of the last differences is the truest.
 */
export class ServerClock {
  /** @param {() => number} now a steady local clock in milliseconds */
  constructor(now) {
    this._now = now;
    /** @type {number[]} */
    this._differences = [];
  }

  /** @param {number} serverTimeMs as a message said when it was sent */
  learn(serverTimeMs) {
    this._differences.push(serverTimeMs - this._now());
    if (this._differences.length > SAMPLES_KEPT) this._differences.shift();
  }

  /** @returns {number} milliseconds since 1970, by the server; the local time until a message was seen */
  now() {
    return this._differences.length === 0 ? Date.now() : this._now() + Math.max(...this._differences);
  }
}
