// @ts-check
/** The publisher's signatures, as `server/signing.py` makes them: Ed25519 of a tag and the document's canonical JSON. */

import { bytesOf, hash, hexOf } from './draw.js';

const TAG = 'usher.signed.v1.';
const KEY_ID_DIGITS = 16;

/**
 * @param {{key_id: string, public_key: string}[]} keys those that the publisher names
 * @param {'draw-head' | 'draw-receipt'} kind
 * @param {Record<string, unknown>} fields what is signed
 * @param {string} keyId
 * @param {string} signature
 * @returns {Promise<string[]>} none: it is signed so. `not_supported`: this browser cannot tell
 */
export async function signatureFaults(keys, kind, fields, keyId, signature) {
  const known = keys.find(({ key_id }) => key_id === keyId);
  if (!known) return ['unknown_key'];
  const publicKey = bytesOf(known.public_key);
  const faults = hexOf(await hash(publicKey)).slice(0, KEY_ID_DIGITS) === keyId ? [] : ['wrong_key'];
  const canonical = JSON.stringify(fields, Object.keys(fields).sort());
  const signed = new TextEncoder().encode(`${TAG}${kind}\0${canonical}`);
  try {
    const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']);
    return (await crypto.subtle.verify('Ed25519', key, bytesOf(signature), signed)) ? faults : [...faults, 'wrong_signature'];
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === 'NotSupportedError') return [...faults, 'not_supported'];
    return [...faults, 'wrong_signature'];
  }
}
