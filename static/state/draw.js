// @ts-check
/**
 * The draw of places, as `actors/core/draw.py` has it: the same bytes, with the browser's own cryptography.
 *
 * Every value is 32 bytes. The vectors in `tests/core/draw_vectors.json` are the same in both languages. Source:
 * decision 26, docs/waiting-room.md.
 */

const HASH_BYTES = 32;
const TAG = 'usher.draw.v1.';
const text = new TextEncoder();

/** @param {string} hex @returns {Uint8Array<ArrayBuffer>} */
export function bytesOf(hex) {
  if (!/^([0-9a-f]{2})*$/.test(hex)) throw new RangeError('no hexadecimal digits');
  return Uint8Array.from({ length: hex.length / 2 }, (_, k) => parseInt(hex.slice(2 * k, 2 * k + 2), 16));
}

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** @param {Uint8Array} bytes @returns {string} */
export function hexOf(bytes) {
  let hex = '';
  for (const byte of bytes) hex += DIGITS[byte];
  return hex;
}

/** @param {string} eventId a UUID @param {Uint8Array} nonce */
export const entryId = (eventId, nonce) => hash(tag('entry'), uuid(eventId), whole(nonce));

/** @param {string} eventId @param {Uint8Array} operatorSeed */
export const commitment = (eventId, operatorSeed) => hash(tag('commitment'), uuid(eventId), whole(operatorSeed));

/** @param {string} eventId @param {Uint8Array} committed @param {Uint8Array | null} beaconChain */
export const genesis = (eventId, committed, beaconChain) =>
  hash(tag('genesis'), uuid(eventId), whole(committed), whole(beaconChain ?? new Uint8Array(HASH_BYTES)));

/** @param {Uint8Array} head @param {Uint8Array} entry */
export const nextHead = (head, entry) => hash(LINK, whole(head), whole(entry));

/** @param {Uint8Array} operatorSeed @param {Uint8Array} finalHead @param {Uint8Array | null} beacon */
export const seedOf = (operatorSeed, finalHead, beacon) =>
  hash(tag('seed'), whole(operatorSeed), whole(finalHead), beacon ? whole(beacon) : new Uint8Array(0));

/**
 * What orders the entries: the smallest lot has place 1.
 *
 * @param {Uint8Array<ArrayBuffer>} seed
 * @returns {Promise<(entry: Uint8Array<ArrayBuffer>) => Promise<string>>} the lot of an entry, in hex
 */
export async function lots(seed) {
  const key = await crypto.subtle.importKey('raw', whole(seed), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return async (entry) => hexOf(new Uint8Array(await crypto.subtle.sign('HMAC', key, whole(entry))));
}

/** @param {...Uint8Array} parts @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function hash(...parts) {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', joined));
}

/** @param {string} name @returns {Uint8Array} */
function tag(name) {
  return text.encode(`${TAG}${name}\0`);
}

const LINK = tag('link');

/** @param {string} id @returns {Uint8Array} */
function uuid(id) {
  return bytesOf(id.replaceAll('-', ''));
}

/** @template {Uint8Array} Bytes @param {Bytes} value @returns {Bytes} */
function whole(value) {
  if (value.length !== HASH_BYTES) throw new RangeError(`${value.length} bytes instead of ${HASH_BYTES}`);
  return value;
}
