// @ts-check
/**
 * What this browser keeps of a waiting room, also when the tab is closed: the place at the last visit, the receipt as
 * it was first given, and the first publication seen. What is kept here the publisher cannot change any more.
 *
 * @typedef {import('../state/draw_checks.js').DrawDocument} DrawDocument
 * @typedef {import('../state/draw_checks.js').Earlier} Earlier
 * @typedef {import('../state/draw_checks.js').SignedReceipt} SignedReceipt
 *
 * @typedef {object} Kept
 * @property {number | null} place
 * @property {SignedReceipt | null} receipt
 * @property {Earlier | null} earlier
 * @property {boolean} hasSound
 */

/** @param {string} eventId @param {string} account whose they are; two may share a browser @returns {Kept} */
export function kept(eventId, account) {
  const key = (/** @type {string} */ what) => `usher.${what}.${eventId}.${account}`;
  return {
    get place() {
      const place = read(key('place'));
      return typeof place === 'number' ? place : null;
    },
    set place(place) {
      write(key('place'), place);
    },
    get receipt() {
      return /** @type {SignedReceipt | null} */ (read(key('receipt')));
    },
    set receipt(receipt) {
      write(key('receipt'), receipt);
    },
    get earlier() {
      return /** @type {Earlier | null} */ (read(key('published')));
    },
    set earlier(earlier) {
      write(key('published'), earlier);
    },
    get hasSound() {
      return read('usher.sound') === true;
    },
    set hasSound(hasSound) {
      write('usher.sound', hasSound || null);
    },
  };
}

/** @param {DrawDocument} document @returns {Earlier} the parts that later publications must go on from */
export function partsToKeep({ event_id, commitment, beacon, last_head: { count, head } }) {
  return { event_id, commitment, beacon_chain: beacon?.chain ?? null, count, head };
}

/** @param {string} key @returns {unknown} */
function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}

/** @param {string} key @param {unknown} value */
function write(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Without storage the receipt can still be downloaded, and fetched again.
  }
}
