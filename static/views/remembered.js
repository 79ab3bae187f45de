// @ts-check
/**
 * What outlives a reload, in this tab: the seats that are chosen and not yet held, and a payment under way, whose
 * command is sent again with its id.
 *
 * @typedef {import('../state/protocol.js').Command} Command
 */

/** @param {string} eventId @returns {{chosen: number[], checkout: Extract<Command, {type: 'checkout'}> | null}} */
export function remembered(eventId) {
  return {
    get chosen() {
      const seats = read(`usher.chosen.${eventId}`);
      return Array.isArray(seats) ? seats.filter(Number.isInteger) : [];
    },
    set chosen(seats) {
      write(`usher.chosen.${eventId}`, seats.length > 0 ? seats : null);
    },
    get checkout() {
      return /** @type {Extract<Command, {type: 'checkout'}> | null} */ (read(`usher.checkout.${eventId}`));
    },
    set checkout(command) {
      write(`usher.checkout.${eventId}`, command);
    },
  };
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
