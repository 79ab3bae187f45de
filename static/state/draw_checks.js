// @ts-check
/**
 * What is wrong with a published draw: everything is computed again. The checks and their codes are those of
 * `actors/core/draw_checks.py`; the words for them are in the locales.
 *
 * @typedef {{count: number, head: string, at: string}} HeadAt
 * @typedef {HeadAt & {key_id: string, signature: string}} SignedHead
 * @typedef {{chain: string, url: string, round: number | null, round_at: string | null, value: string | null,
 *   signature: string | null}} Beacon
 * @typedef {{version: number, event_id: string, status: 'lobby' | 'awaiting_beacon' | 'drawn'
 *   | 'seed_withheld' | 'nobody_joined', commitment: string,
 *   opened_at: string, closed_at: string | null, beacon: Beacon | null, last_head: SignedHead, heads: HeadAt[],
 *   count: number, operator_seed: string | null, entries: string[], places: number[], earlier_draws: object[],
 *   keys: {key_id: string, public_key: string}[]}} DrawDocument
 * @typedef {{version: number, event_id: string, entry_id: string, nonce: string, nonce_by: string, position: number,
 *   head: string, commitment: string, beacon_chain: string | null, joined_at: string, key_id: string,
 *   signature: string}} SignedReceipt
 * @typedef {{event_id: string, commitment: string, beacon_chain: string | null, count: number, head: string}} Earlier
 * what was kept of an earlier publication
 *
 * @typedef {(share: number) => Promise<void> | void} Progress
 * @typedef {'seed' | 'chain' | 'closing' | 'beacon' | 'places' | 'once' | 'signatures' | 'receipt' | 'earlier'} Check
 * @typedef {{check: Check, faults: string[], isSkipped: boolean}} Outcome `isSkipped`: there was nothing to check
 */

import { bytesOf, commitment, entryId, genesis, hash, hexOf, lots, nextHead, seedOf } from './draw.js';
import { signatureFaults } from './draw_signatures.js';

/** So many hashes are asked for at once; between the pieces the page is free. */
const PIECE = 500;
/** Nothing was drawn, and the seed is rightly secret. */
const TO_COME = new Set(['lobby', 'awaiting_beacon', 'nobody_joined']);

/**
 * @param {DrawDocument} published
 * @param {{receipt: SignedReceipt | null, earlier: Earlier | null}} kept what this browser has kept
 * @param {Progress} onProgress is told 0…1, and waited for
 * @param {AbortSignal} signal
 * @returns {Promise<Outcome[]>}
 */
export async function checkDraw(published, { receipt, earlier }, onProgress, signal) {
  const isClosed = published.status !== 'lobby';
  const links = isClosed ? await chainOf(published, (share) => onProgress(share / 2), signal) : [];
  const places = published.status === 'drawn' ? await placesFaults(published, (share) => onProgress(0.5 + share / 2), signal) : [];
  await onProgress(1);
  return [
    outcome('seed', await seedFaults(published), TO_COME.has(published.status)),
    outcome('chain', chainFaults(published, links), !isClosed),
    outcome('closing', closingFaults(published), !isClosed),
    outcome('beacon', await beaconFaults(published), published.beacon === null || published.status !== 'drawn'),
    outcome('places', places, published.status !== 'drawn'),
    outcome('once', published.earlier_draws.length > 0 ? ['drawn_again'] : []),
    await signaturesOutcome(published, receipt),
    outcome('receipt', receipt ? await receiptFaults(published, receipt, links) : [], receipt === null),
    outcome('earlier', earlier ? earlierFaults(published, earlier, links) : [], earlier === null || !isClosed),
  ];
}

/** @param {Check} check @param {string[]} faults @param {boolean} [isSkipped] @returns {Outcome} */
function outcome(check, faults, isSkipped = false) {
  return { check, faults, isSkipped: isSkipped && faults.length === 0 };
}

/** @param {DrawDocument} published @returns {HeadAt[]} */
const allHeads = (published) => [...published.heads, published.last_head];

/**
 * The head after each number of entries, from none.
 *
 * @param {DrawDocument} published @param {Progress} onProgress @param {AbortSignal} signal
 * @returns {Promise<string[]>}
 */
async function chainOf({ event_id, commitment: committed, beacon, entries }, onProgress, signal) {
  let head = await genesis(event_id, bytesOf(committed), beacon ? bytesOf(beacon.chain) : null);
  const links = [hexOf(head)];
  for (const [k, entry] of entries.entries()) {
    head = await nextHead(head, bytesOf(entry));
    links.push(hexOf(head));
    if (k % PIECE === 0) await pause(onProgress, k / entries.length, signal);
  }
  return links;
}

/** @param {DrawDocument} published @param {string[]} links @returns {string[]} */
function chainFaults(published, links) {
  const faults = new Set();
  const heads = allHeads(published);
  for (const [k, after] of heads.entries()) {
    const before = heads[k - 1];
    if (!before) continue;
    if (after.count < before.count || after.at < before.at) faults.add('heads_out_of_order');
    else if (after.count === before.count && after.head !== before.head) faults.add('two_heads');
  }
  if (published.status === 'lobby') return [...faults];
  const { entries, count, last_head } = published;
  if (new Set(entries).size !== entries.length) faults.add('entry_twice');
  if (entries.length !== count || count !== last_head.count) faults.add('wrong_count');
  if (heads.some((head) => links[head.count] !== head.head)) faults.add('chain_broken');
  return [...faults];
}

/** @param {DrawDocument} published @returns {string[]} */
function closingFaults(published) {
  if (published.status === 'lobby') return [];
  const { closed_at } = published;
  if (closed_at === null) return ['not_closed'];
  const heads = allHeads(published);
  const inTime = Math.max(0, ...heads.filter(({ at }) => at <= closed_at).map(({ count }) => count));
  return heads.some(({ at, count }) => at > closed_at && count > inTime) ? ['late_entries'] : [];
}

/** @param {DrawDocument} published @returns {Promise<string[]>} */
async function seedFaults(published) {
  if (TO_COME.has(published.status)) return published.operator_seed === null ? [] : ['status_wrong'];
  if (published.operator_seed === null) return ['seed_withheld'];
  if (published.status === 'seed_withheld') return ['status_wrong'];
  const made = await commitment(published.event_id, bytesOf(published.operator_seed));
  return hexOf(made) === published.commitment ? [] : ['wrong_seed'];
}

/** @param {DrawDocument} published @returns {Promise<string[]>} */
async function beaconFaults({ beacon, status, closed_at }) {
  if (beacon === null || status !== 'drawn') return [];
  const { value, signature, round, round_at } = beacon;
  if (value === null || signature === null || round === null || round_at === null) return ['beacon_missing'];
  const faults = [];
  if (closed_at !== null && round_at <= closed_at) faults.push('beacon_too_early');
  const isHex = /^([0-9a-f]{2})+$/.test(signature);
  if (!isHex || hexOf(await hash(bytesOf(signature))) !== value) faults.push('wrong_beacon');
  return faults;
}

/** @param {DrawDocument} published @param {Progress} onProgress @param {AbortSignal} signal */
async function placesFaults({ operator_seed, last_head, beacon, entries, places }, onProgress, signal) {
  if (operator_seed === null) return [];
  if (places.length !== entries.length) return ['wrong_order'];
  const lot = await lots(await seedOf(bytesOf(operator_seed), bytesOf(last_head.head), beacon?.value ? bytesOf(beacon.value) : null));
  /** @type {{lot: string, entry: string, place: number}[]} */
  const drawn = [];
  for (let from = 0; from < entries.length; from += PIECE) {
    const piece = entries.slice(from, from + PIECE);
    const found = await Promise.all(piece.map((entry) => lot(bytesOf(entry))));
    for (const [k, entry] of piece.entries()) drawn.push({ lot: found[k], entry, place: places[from + k] });
    await pause(onProgress, from / entries.length, signal);
  }
  drawn.sort((a, b) => compare(a.lot, b.lot) || compare(a.entry, b.entry));
  const placeOf = new Map(drawn.map(({ entry }, k) => [entry, k + 1]));
  return drawn.some(({ entry, place }) => placeOf.get(entry) !== place) ? ['wrong_order'] : [];
}

/** @param {DrawDocument} published @param {SignedReceipt} receipt @param {string[]} links */
async function receiptFaults(published, receipt, links) {
  if (receipt.event_id !== published.event_id) return ['other_event'];
  const faults = [];
  if (hexOf(await entryId(receipt.event_id, bytesOf(receipt.nonce))) !== receipt.entry_id) faults.push('wrong_nonce');
  if (receipt.commitment !== published.commitment) faults.push('commitment_changed');
  if (receipt.beacon_chain !== (published.beacon?.chain ?? null)) faults.push('beacon_changed');
  if (published.status === 'lobby') return faults;
  const position = published.entries.indexOf(receipt.entry_id) + 1;
  if (position === 0) faults.push('entry_dropped');
  else if (position !== receipt.position) faults.push('entry_moved');
  else if (links[position] !== receipt.head) faults.push('history_changed');
  return faults;
}

/** @param {DrawDocument} published @param {Earlier} earlier @param {string[]} links */
function earlierFaults(published, earlier, links) {
  if (earlier.event_id !== published.event_id) return ['other_event'];
  const faults = [];
  if (earlier.commitment !== published.commitment) faults.push('commitment_changed');
  if (earlier.beacon_chain !== (published.beacon?.chain ?? null)) faults.push('beacon_changed');
  if (published.status === 'lobby') return faults;
  if (earlier.count > published.entries.length) faults.push('entries_dropped');
  else if (links[earlier.count] !== earlier.head) faults.push('history_changed');
  return faults;
}

/** @param {DrawDocument} published @param {SignedReceipt | null} receipt @returns {Promise<Outcome>} */
async function signaturesOutcome(published, receipt) {
  const { count, head, at, key_id, signature } = published.last_head;
  const signed = { at, count, event_id: published.event_id, head, version: published.version };
  const found = [...await signatureFaults(published.keys, 'draw-head', signed, key_id, signature)];
  if (receipt) {
    const { key_id: receiptKey, signature: receiptSignature, ...fields } = receipt;
    found.push(...await signatureFaults(published.keys, 'draw-receipt', fields, receiptKey, receiptSignature));
  }
  const faults = found.filter((fault) => fault !== 'not_supported');
  return outcome('signatures', [...new Set(faults)], found.includes('not_supported'));
}

/** @param {string} a @param {string} b */
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Let the page breathe. @param {Progress} onProgress @param {number} share @param {AbortSignal} signal */
async function pause(onProgress, share, signal) {
  signal.throwIfAborted();
  await onProgress(share);
}
