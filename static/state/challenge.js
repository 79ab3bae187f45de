// @ts-check
/**
 * The proof of work that a waiting room may ask for, done with the browser's own cryptography, off the page's thread:
 * keys are derived from a counter, until one begins as the challenge says. No DOM, no clock.
 * Source: ALTCHA's proof of work, version 2, with PBKDF2.
 *
 * @typedef {{parameters: {algorithm: string, nonce: string, salt: string, cost: number, keyLength: number,
 *   keyPrefix: string}, signature: string}} Challenge what else is in it goes back as it came
 */

import { bytesOf, hexOf } from './draw.js';

/** So that the browser can use all its cores. */
const AT_ONCE = 16;
/** Far more than are needed: it is given up then. */
const TRIES_MAX = 100_000;
const COUNTER_BYTES = 4;
const HASH_OF = new Map([['PBKDF2/SHA-256', 'SHA-256'], ['PBKDF2/SHA-384', 'SHA-384'], ['PBKDF2/SHA-512', 'SHA-512']]);

/** Browsers offer their cryptography over HTTPS and on `localhost` alone. */
export const canSolve = () => globalThis.crypto?.subtle !== undefined;

/**
 * @param {Challenge} challenge
 * @param {AbortSignal} signal
 * @returns {Promise<string>} the proof, as it goes with joining
 */
export async function solve(challenge, signal) {
  const { algorithm, nonce, salt, cost, keyLength, keyPrefix } = challenge.parameters;
  const hash = HASH_OF.get(algorithm);
  if (hash === undefined) throw new Error(`a challenge of another kind: ${algorithm}`);
  const how = { name: 'PBKDF2', hash, salt: bytesOf(salt), iterations: cost };
  const password = bytesOf(nonce);
  const derive = async (/** @type {number} */ counter) => {
    const key = await crypto.subtle.importKey('raw', withCounter(password, counter), 'PBKDF2', false, ['deriveBits']);
    return hexOf(new Uint8Array(await crypto.subtle.deriveBits(how, key, keyLength * 8)));
  };
  for (let first = 0; first < TRIES_MAX; first += AT_ONCE) {
    signal.throwIfAborted();
    const keys = await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => derive(first + at)));
    const found = keys.findIndex((key) => key.startsWith(keyPrefix));
    if (found !== -1) return btoa(JSON.stringify({ challenge, solution: { counter: first + found, derivedKey: keys[found] } }));
  }
  throw new Error(`no solution within ${TRIES_MAX} tries`);
}

/** @param {Uint8Array} password @param {number} counter big-endian, behind it @returns {Uint8Array<ArrayBuffer>} */
function withCounter(password, counter) {
  const whole = new Uint8Array(password.length + COUNTER_BYTES);
  whole.set(password);
  new DataView(whole.buffer).setUint32(password.length, counter);
  return whole;
}
