// @ts-check
/**
 * What outlives a reload, in this tab: the seats that are chosen and not yet held, what was asked of the finder, and
 * a payment under way, whose command is sent again with its id.
 *
 * @typedef {import('../state/protocol.js').Command} Command
 * @typedef {import('../state/protocol.js').Wish} Wish
 *
 * @typedef {object} Memory
 * @property {number[]} chosen
 * @property {Wish | null} wish the last one
 * @property {Wish | null} wishAsked one that waits for the customer to sign in
 * @property {boolean} joinAsked the waiting room was to be joined, and the customer had to sign in first
 * @property {Extract<Command, {type: 'checkout'}> | null} checkout
 */

/** @param {string} eventId @returns {Memory} */
export function remembered(eventId) {
  return {
    get chosen() {
      const seats = read(`usher.chosen.${eventId}`);
      return Array.isArray(seats) ? seats.filter(Number.isInteger) : [];
    },
    set chosen(seats) {
      write(`usher.chosen.${eventId}`, seats.length > 0 ? seats : null);
    },
    get wish() {
      return wishIn(read(`usher.wish.${eventId}`));
    },
    set wish(wish) {
      write(`usher.wish.${eventId}`, wish);
    },
    get wishAsked() {
      return wishIn(read(`usher.wish_asked.${eventId}`));
    },
    set wishAsked(wish) {
      write(`usher.wish_asked.${eventId}`, wish);
    },
    get joinAsked() {
      return read(`usher.join_asked.${eventId}`) === true;
    },
    set joinAsked(isAsked) {
      write(`usher.join_asked.${eventId}`, isAsked || null);
    },
    get checkout() {
      return /** @type {Extract<Command, {type: 'checkout'}> | null} */ (read(`usher.checkout.${eventId}`));
    },
    set checkout(command) {
      write(`usher.checkout.${eventId}`, command);
    },
  };
}

/** @param {unknown} value @returns {Wish | null} */
function wishIn(value) {
  return typeof value === 'object' && value !== null && 'count' in value ? /** @type {Wish} */ (value) : null;
}

/** @param {string} key @returns {unknown} */
function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}

/** @param {string} key @param {unknown} value */
function write(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Without storage nothing outlives a reload but what the server keeps.
  }
}
