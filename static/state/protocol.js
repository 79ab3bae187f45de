// @ts-check
/**
 * The socket's words, version 1, as this browser reads and writes them. No DOM, no socket.
 *
 * @typedef {{seats: number[], expires_at_ms: number | null, total_cents: number}} Hold
 * @typedef {{order_id: string, status: string, total_cents: number, currency: string, seats: number[]}} Order
 * @typedef {{status: string, place: number | null, ahead: number, eta_s: number | null,
 *   eta_high_s: number | null, admitted_until_ms: number | null, receipt?: Receipt}} QueuePlace
 * @typedef {{entry_id: string, nonce: string, position: number, head: string}} Receipt
 * @typedef {{id: string, name: string, role: string}} User
 *
 * @typedef {{type: 'welcome', protocol: number, node: string, event_id: string, seat_count: number,
 *   map_url: string, server_time_ms: number, user: User | null}} Welcome
 * @typedef {{type: 'snapshot', epoch: string, revision: number, seats: string}} Snapshot
 * @typedef {{type: 'patch', epoch: string, base: number, revision: number, available?: number[],
 *   held?: number[], sold?: number[], blocked?: number[]}} Patch
 * @typedef {{type: 'resync', reason: string}} Resync
 * @typedef {{type: 'heartbeat', epoch: string, revision: number, server_time_ms: number}} Heartbeat
 * @typedef {{type: 'accepted', id: string, revision: number, hold?: Hold, order?: Order, queue?: QueuePlace,
 *   together?: boolean}} Accepted
 * @typedef {{type: 'rejected', id: string, code: string, message: string, retry: boolean,
 *   retry_after_ms?: number, seats?: number[], instead?: number[]}} Rejected
 * @typedef {{type: 'hold', reason: string} & Hold} HoldNow
 * @typedef {{type: 'order'} & Order} OrderNow
 * @typedef {{type: 'queue'} & QueuePlace} QueueNow
 * @typedef {{type: 'line', admitted_upto: number, waiting: number, per_minute: number | null}} LineNow
 * @typedef {{type: 'event', status: string, on_sale_at_ms: number, orphan_rule: string}} EventNow
 * @typedef {{type: 'pong', at: number, server_time_ms: number}} Pong
 * @typedef {Welcome | Snapshot | Patch | Resync | Heartbeat | Accepted | Rejected | HoldNow | OrderNow
 *   | QueueNow | LineNow | EventNow | Pong} Message
 *
 * @typedef {{count: number, price_tier?: string, section?: string, max_price_cents?: number,
 *   accessible?: boolean}} Wish
 * @typedef {{type: 'hold_best', id: string} & Wish} HoldBest
 * @typedef {{type: 'hold_seats', id: string, seats: number[]} | {type: 'release_seats', id: string, seats: number[]}
 *   | HoldBest | {type: 'extend_hold', id: string} | {type: 'checkout', id: string, payment_method: string}
 *   | {type: 'join_queue', id: string, nonce?: string, proof?: string} | {type: 'leave_queue', id: string}} Command
 * @typedef {{epoch: string, revision: number}} Position
 */

export const SUBPROTOCOL = 'usher.v1';
export const SEATS_PER_COMMAND_MAX = 10;
export const HEARTBEAT_MS = 15_000;

export const AVAILABLE = 0;
export const HELD = 1;
export const SOLD = 2;
export const BLOCKED = 3;

/** The states' names; a state's number is its place here. */
export const STATE_NAMES = /** @type {const} */ (['available', 'held', 'sold', 'blocked']);

const KNOWN_TYPES = new Set([
  'welcome', 'snapshot', 'patch', 'resync', 'heartbeat', 'accepted', 'rejected', 'hold', 'order', 'queue', 'event',
  'line', 'pong',
]);

/**
 * The message in a text frame, or null for what this version does not know: that is ignored.
 *
 * @param {string} frame
 * @returns {Message | null}
 */
export function readMessage(frame) {
  /** @type {unknown} */
  let message;
  try {
    message = JSON.parse(frame);
  } catch {
    return null;
  }
  if (typeof message !== 'object' || message === null) return null;
  const type = /** @type {{type?: unknown}} */ (message).type;
  return typeof type === 'string' && KNOWN_TYPES.has(type) ? /** @type {Message} */ (message) : null;
}

/**
 * The frame that starts watching, from a position where there is one.
 *
 * @param {Position | null} position
 * @returns {string}
 */
export function writeOpen(position) {
  return JSON.stringify(position ? { type: 'open', ...position } : { type: 'open' });
}

/**
 * The seats of a snapshot: 2 bits a seat, low bits first, as one byte a seat.
 *
 * @param {string} packed base64
 * @param {number} seatCount
 * @returns {Uint8Array}
 */
export function unpackStates(packed, seatCount) {
  const raw = atob(packed);
  if (raw.length !== Math.ceil(seatCount / 4)) throw new RangeError(`${raw.length} bytes for ${seatCount} seats`);
  const states = new Uint8Array(seatCount);
  for (let seat = 0; seat < seatCount; seat++) {
    states[seat] = (raw.charCodeAt(seat >> 2) >> (2 * (seat & 3))) & 3;
  }
  return states;
}

/**
 * What a client does after the server, or the network, ended the connection.
 *
 * `later`: come back with the position · `slower`: come back after 5 s, doubling · the others are final.
 *
 * @param {number} closeCode
 * @returns {'later' | 'slower' | 'signed_out' | 'not_allowed' | 'no_such_event' | 'not_understood'}
 */
export function afterClose(closeCode) {
  switch (closeCode) {
    case 4429:
      return 'slower';
    case 4401:
      return 'signed_out';
    case 4403:
      return 'not_allowed';
    case 4404:
      return 'no_such_event';
    case 4400:
    case 1002:
    case 1003:
    case 1007:
    case 1008:
    case 1009:
      return 'not_understood';
    default:
      return 'later';
  }
}

const AFTER_LATER_MS = { least: 500, most: 15_000 };
const AFTER_SLOWER_MS = { least: 5_000, most: 120_000 };

/**
 * How long to wait before the next attempt. Full jitter: anywhere between the least and a limit that doubles.
 *
 * @param {'later' | 'slower'} rule
 * @param {number} attempt 0 for the first one after a connection
 * @param {number} random 0…1
 * @returns {number} milliseconds
 */
export function waitBeforeAttempt(rule, attempt, random) {
  const doublings = Math.min(attempt, 10);
  if (rule === 'slower') {
    const wait = Math.min(AFTER_SLOWER_MS.most, AFTER_SLOWER_MS.least * 2 ** doublings);
    return wait * (1 + random / 4);
  }
  const limit = Math.min(AFTER_LATER_MS.most, 2 * AFTER_LATER_MS.least * 2 ** doublings);
  return AFTER_LATER_MS.least + random * (limit - AFTER_LATER_MS.least);
}
