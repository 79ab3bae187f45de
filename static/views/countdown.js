// @ts-check
/** Time that runs out, by the server's clock: shown four times a second, said at a few marks. */

import { h, svg } from '../dom.js';
import { formatCountdown } from '../state/times.js';
import { T } from '../texts.js';

const TICK_MS = 250;
const SAY_AT_S = [300, 120, 60, 30];
const URGENT_S = 60;
/** A full ring: the length of a fresh hold. */
const HOLD_MS = 600_000;
const RADIUS = 20;
const AROUND = 2 * Math.PI * RADIUS;

/** @typedef {{label: string, minutesLeft: (n: number) => string, secondsLeft: (n: number) => string, wholeMs: number}} Words */

/** A ring that empties, and the time in it. */
export class Countdown {
  /**
   * @param {() => number} now the server's time
   * @param {(text: string) => void} say
   * @param {Words} [words] those of a hold, unless told otherwise
   */
  constructor(now, say, words = { label: T.basket.timeLeft, minutesLeft: T.notices.minutesLeft, secondsLeft: T.notices.secondsLeft, wholeMs: HOLD_MS }) {
    this._words = words;
    this._now = now;
    this._say = say;
    this._endsAt = 0;
    this._whole = 1;
    this._before = Infinity;
    this._ring = svg('circle', { class: 'ring', cx: 24, cy: 24, r: RADIUS, 'stroke-dasharray': AROUND });
    this._text = h('b', { role: 'timer', 'aria-live': 'off' });
    this.element = h('div.countdown', null,
      svg('svg', { viewBox: '0 0 48 48', 'aria-hidden': 'true' }, svg('circle', { class: 'track', cx: 24, cy: 24, r: RADIUS }), this._ring),
      h('div', null, h('span', null, words.label), this._text));
    this._timer = setInterval(() => this._tick(), TICK_MS);
  }

  /** @param {number | null} endsAt server milliseconds */
  until(endsAt) {
    if (endsAt === null || endsAt === this._endsAt) return;
    this._endsAt = endsAt;
    this._whole = Math.max(this._words.wholeMs, endsAt - this._now());
    this._before = Infinity;
    this._tick();
  }

  stop() {
    clearInterval(this._timer);
  }

  _tick() {
    const left = Math.max(0, this._endsAt - this._now());
    const text = formatCountdown(left);
    if (this._text.textContent !== text) this._text.textContent = text;
    this._ring.setAttribute('stroke-dashoffset', String(AROUND * (1 - Math.min(1, left / this._whole))));
    this.element.classList.toggle('is-urgent', left <= URGENT_S * 1000);
    const mark = SAY_AT_S.find((s) => left <= s * 1000 && this._before > s * 1000);
    if (mark !== undefined && this._before !== Infinity) {
      this._say(mark >= 60 ? this._words.minutesLeft(mark / 60) : this._words.secondsLeft(mark));
    }
    this._before = left;
  }
}
