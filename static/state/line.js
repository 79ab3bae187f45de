// @ts-check
/**
 * One customer's way through one event's waiting room. Pure: messages go in, news come out. No DOM, no clock.
 *
 * @typedef {import('./protocol.js').LineNow} LineNow
 * @typedef {import('./protocol.js').Message} Message
 * @typedef {import('./protocol.js').QueuePlace} QueuePlace
 *
 * @typedef {'none' | 'sold_out' | 'enter_lobby' | 'enter_line' | 'lobby' | 'drawing' | 'waiting' | 'in'} Stage
 * `none`: there is no waiting room, or nothing is sold any more. `enter_…`: not in line.
 * @typedef {'joined' | 'drawn' | 'turn' | 'moved_back' | 'out' | 'ended' | 'left'} News
 * `moved_back`: my turn came while I was away, and I stand at the tail. `out`: it came again. `ended`: my turn is over.
 * @typedef {{status: string, onSaleAtMs: number}} SaleStatus
 * @typedef {[number, number]} Range seconds, from and to
 */

const OVER = new Set(['completed', 'cancelled']);
/** As the server measures: the pace of the last minutes, and a range that holds in four of five cases. */
const WINDOW_MIN = 5;
const COUNTED_LEAST = 3;
const DEVIATIONS = 1.28;
/** The wait is said anew when so many are ahead. */
const MILESTONES = [1000, 500, 200, 100, 50, 20, 10, 5, 3, 2, 1, 0];

export class Line {
  /** @param {{hasRoom: boolean, mode: string}} event @param {number | null} lastPlace the place at the last visit */
  constructor({ hasRoom, mode }, lastPlace = null) {
    this.hasRoom = hasRoom && mode !== 'off';
    this.mode = mode;
    /** @type {QueuePlace | null} null until the server said it */
    this.place = null;
    /** @type {LineNow | null} */
    this.news = null;
    /** @type {'moved_back' | 'out' | 'ended' | null} what went wrong last, until I join again */
    this.mishap = null;
    this._lastPlace = lastPlace;
    this._isLeaving = false;
  }

  /** @param {Message} message @returns {News[]} */
  receive(message) {
    if (message.type === 'line') this.news = message;
    if (message.type === 'queue') return this._placed(message);
    if (message.type === 'accepted' && message.queue) return this._placed(message.queue);
    return [];
  }

  /** I asked to leave: being in no line is what I want. */
  leaves() {
    this._isLeaving = true;
  }

  /** @param {SaleStatus} sale @param {number} nowMs the server's time @returns {Stage} */
  stage({ status, onSaleAtMs }, nowMs) {
    if (!this.hasRoom || OVER.has(status)) return 'none';
    const mine = this.place?.status ?? 'not_in_queue';
    if (mine === 'active') return 'in';
    if (status === 'sold_out') return 'sold_out';
    if (mine === 'waiting') return 'waiting';
    const isBefore = status === 'upcoming' && nowMs < onSaleAtMs;
    if (mine === 'lobby') return isBefore ? 'lobby' : 'drawing';
    return isBefore && this.mode === 'draw' ? 'enter_lobby' : 'enter_line';
  }

  /** @returns {number} how many wait before me, as far as is known */
  get ahead() {
    if (this.place?.status !== 'waiting' || this.place.place === null) return 0;
    const most = this.news ? Math.max(0, this.place.place - this.news.admitted_upto - 1) : Infinity;
    return Math.min(this.place.ahead, most);
  }

  /** @returns {Range | null} how long it may take; null: not known yet */
  get wait() {
    if (this.place?.status !== 'waiting') return null;
    const { ahead, eta_s, eta_high_s } = this.place;
    const turns = this.ahead + 1;
    if (eta_s !== null && eta_high_s !== null) {
      const share = turns / (ahead + 1);
      return [Math.floor(eta_s * share), Math.ceil(eta_high_s * share)];
    }
    const pace = this.news?.per_minute;
    if (!pace) return null;
    const counted = Math.max(COUNTED_LEAST, pace * WINDOW_MIN);
    const mean = (turns * 60) / pace;
    const spread = (DEVIATIONS * Math.sqrt(turns + (turns * turns) / counted) * 60) / pace;
    return [Math.max(0, Math.floor(mean - spread)), Math.ceil(mean + spread)];
  }

  /** @param {QueuePlace} now @returns {News[]} */
  _placed(now) {
    const before = this.place;
    this.place = now;
    const wasIn = before?.status ?? null;
    const lastPlace = before?.place ?? this._lastPlace;
    const isMine = this._isLeaving;
    this._isLeaving = false;
    if (now.status === 'not_in_queue') return this._gone(wasIn, isMine);
    if (now.status === 'waiting' && lastPlace !== null && now.place !== null && now.place > lastPlace && wasIn !== 'not_in_queue') {
      this._lastPlace = null;
      this.mishap = 'moved_back';
      return ['moved_back'];
    }
    if (now.status === 'active' || wasIn === 'not_in_queue') this.mishap = null;
    if (now.status === wasIn || wasIn === null) return [];
    if (now.status === 'active') return ['turn'];
    return [wasIn === 'lobby' ? 'drawn' : 'joined'];
  }

  /** @param {string | null} wasIn @param {boolean} isMine @returns {News[]} */
  _gone(wasIn, isMine) {
    this._lastPlace = null;
    if (isMine) {
      this.mishap = null;
      return ['left'];
    }
    if (wasIn === null || wasIn === 'not_in_queue') return [];
    this.mishap = wasIn === 'active' ? 'ended' : 'out';
    return [this.mishap];
  }
}

/**
 * Is this worth saying? Only coarse steps are: a voice that counts every place is no help.
 *
 * @param {number} before people ahead @param {number} now
 * @returns {boolean}
 */
export function isMilestone(before, now) {
  return MILESTONES.some((mark) => now <= mark && before > mark);
}
