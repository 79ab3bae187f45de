// @ts-check
/**
 * REST, `/api/v1`: what the pages ask for, and how a refusal looks.
 *
 * @typedef {{id: string, name: string, address: string, city: string, state: string | null, country: string,
 *   capacity: number, timezone: string | null}} Venue
 * @typedef {{id: string, name: string, description: string | null, artist: string | null, category: string,
 *   event_date: string, on_sale_date: string, status: string, total_capacity: number, available_seats: number,
 *   waiting_room_enabled: boolean, waiting_room_mode: string, max_tickets_per_user: number, orphan_rule: string, venue_id: string, venue: Venue}} Event
 * @typedef {{data: Event[], total: number, page: number, limit: number, totalPages: number}} EventPage
 * @typedef {{id: string, email: string, name: string, role: string}} Account
 * @typedef {{id: string, event_id: string, status: string, total_amount: number, currency?: string,
 *   created_at: string, completed_at: string | null, event_name: string, event_date: string,
 *   artist: string | null, venue_name: string, venue_city: string, venue_timezone: string | null, venue_address?: string}} OrderInfo
 * @typedef {{section: string, row: string, seat_number: string, price: number}} Ticket
 * @typedef {{id: string, seat_id: string, code: string, qr_svg: string}} Code a valid ticket's
 * @typedef {{order: OrderInfo, seats: Ticket[], tickets: Code[], calendar: string}} OrderDetail
 */

const ANSWER_MAX_MS = 15_000;
/** For answers of megabytes, such as a draw of 100,000 entries. */
const LONG_ANSWER_MAX_MS = 120_000;

/** A refusal, or no answer at all (`status` 0). */
export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} sentence */
  constructor(status, code, sentence) {
    super(sentence);
    this.status = status;
    this.code = code;
  }
}

export const api = {
  /** @param {URLSearchParams} query @param {AbortSignal} [signal] @returns {Promise<EventPage>} */
  events: (query, signal) => call('GET', `/events?${query}`, undefined, signal),

  /** @param {string} id @returns {Promise<Event>} */
  event: async (id) => (await call('GET', `/events/${encodeURIComponent(id)}`)).data,

  /** @returns {Promise<string[]>} where there are venues, by name */
  cities: async () => [...new Set((await call('GET', '/venues')).data.map((/** @type {Venue} */ venue) => venue.city))].sort(),

  /** @returns {Promise<Account>} */
  me: async () => (await call('GET', '/auth/me')).data,

  /** @param {string} email @param {string} password @returns {Promise<Account>} */
  signIn: async (email, password) => (await call('POST', '/auth/login', { email, password })).data.user,

  /** @param {string} email @param {string} password @param {string} name @returns {Promise<Account>} */
  register: async (email, password, name) => (await call('POST', '/auth/register', { email, password, name })).data,

  /** @param {string} email */
  forgotPassword: async (email) => void (await call('POST', '/auth/password-reset', { email })),

  /** @param {string} token from a mail @param {string} password */
  resetPassword: async (token, password) => void (await call('POST', '/auth/password-reset/confirm', { token, new_password: password })),

  /** @param {string} token from a mail */
  verifyEmail: async (token) => void (await call('POST', '/auth/verify-email', { token })),

  resendVerification: async () => void (await call('POST', '/auth/verify-email/resend')),

  signOut: async () => void (await call('POST', '/auth/logout')),

  /** @returns {Promise<OrderInfo[]>} */
  orders: async () => (await call('GET', '/checkout/orders')).data,

  /** @param {string} id @returns {Promise<OrderDetail>} */
  order: async (id) => (await call('GET', `/checkout/orders/${encodeURIComponent(id)}`)).data,

  /** @param {string} eventId @param {AbortSignal} [signal] @returns {Promise<import('./state/draw_checks.js').DrawDocument>} */
  draw: async (eventId, signal) => (await call('GET', `/queue/${encodeURIComponent(eventId)}/draw`, undefined, signal, LONG_ANSWER_MAX_MS)).data,

  /** @param {string} eventId @returns {Promise<import('./state/draw_checks.js').SignedReceipt>} */
  drawReceipt: async (eventId) => (await call('GET', `/queue/${encodeURIComponent(eventId)}/receipt`)).data,

  /** @param {string} eventId @returns {Promise<import('./state/challenge.js').Challenge>} */
  lobbyChallenge: async (eventId) => (await call('GET', `/queue/${encodeURIComponent(eventId)}/challenge`)).data,

  /** @param {string} id */
  cancelOrder: async (id) => void (await call('POST', `/checkout/orders/${encodeURIComponent(id)}/cancel`)),
};

/**
 * @param {string} path of the map, as `welcome` names it
 * @returns {Promise<import('./state/plan.js').SeatMapJson>}
 */
export async function fetchMap(path) {
  const answer = await reach(path, { signal: AbortSignal.timeout(4 * ANSWER_MAX_MS) });
  if (!answer.ok) throw new ApiError(answer.status, 'no_map', answer.statusText);
  return answer.json();
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {AbortSignal} [signal]
 * @param {number} [within_ms]
 * @returns {Promise<any>} the whole envelope
 */
async function call(method, path, body, signal, within_ms = ANSWER_MAX_MS) {
  const timeout = AbortSignal.timeout(within_ms);
  /** @type {RequestInit} */
  const request = { method, signal: signal ? AbortSignal.any([signal, timeout]) : timeout };
  if (body !== undefined) {
    request.headers = { 'Content-Type': 'application/json' };
    request.body = JSON.stringify(body);
  }
  const answer = await reach(`/api/v1${path}`, request);
  const envelope = await answer.json().catch(() => null);
  if (!answer.ok || envelope?.success !== true) {
    throw new ApiError(answer.status, envelope?.code ?? '', envelope?.error ?? answer.statusText);
  }
  return envelope;
}

/** @param {string} path @param {RequestInit} request @returns {Promise<Response>} */
async function reach(path, request) {
  try {
    return await fetch(path, { credentials: 'same-origin', ...request });
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === 'AbortError') throw problem;
    throw new ApiError(0, 'unreachable', '');
  }
}
