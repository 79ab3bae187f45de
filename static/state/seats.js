// @ts-check
/**
 * What every seat of one event is, and the client's rule for patches. No DOM, no socket.
 *
 * @typedef {import('./protocol.js').Position} Position
 * @typedef {import('./protocol.js').Snapshot} Snapshot
 * @typedef {import('./protocol.js').Patch} Patch
 */

import { STATE_NAMES, unpackStates } from './protocol.js';

/**
 * The rule: an old patch is ignored, one that begins at or before my revision is applied, and anything else (a gap,
 * another history, no map yet) means to ask for the map again.
 *
 * @param {Position | null} mine
 * @param {{epoch: string, base: number, revision: number}} patch
 * @returns {'ignore' | 'apply' | 'reopen'}
 */
export function judgePatch(mine, patch) {
  if (mine === null || patch.epoch !== mine.epoch) return 'reopen';
  if (patch.revision <= mine.revision) return 'ignore';
  return patch.base <= mine.revision ? 'apply' : 'reopen';
}

/**
 * A heartbeat names the stream's last patch: one that I never saw was lost.
 *
 * @param {Position | null} mine
 * @param {Position} heartbeat
 * @returns {'ignore' | 'reopen'}
 */
export function judgeHeartbeat(mine, heartbeat) {
  if (mine === null) return 'ignore';
  return heartbeat.epoch === mine.epoch && heartbeat.revision <= mine.revision ? 'ignore' : 'reopen';
}

/** The state of each seat at one position. */
export class SeatTable {
  /** @param {number} seatCount */
  constructor(seatCount) {
    this.states = new Uint8Array(seatCount);
    /** @type {Position | null} null until the first snapshot */
    this.position = null;
  }

  /**
   * Take the whole map.
   *
   * @param {Snapshot} snapshot
   */
  load(snapshot) {
    this.states.set(unpackStates(snapshot.seats, this.states.length));
    this.position = { epoch: snapshot.epoch, revision: snapshot.revision };
  }

  /**
   * Take a patch by the rule. `changed` are the seats whose state is now another.
   *
   * @param {Patch} patch
   * @param {(seat: number, before: number, after: number) => void} [onChange]
   * @returns {{outcome: 'ignore' | 'apply' | 'reopen', changed: number[]}}
   */
  apply(patch, onChange = () => {}) {
    const outcome = judgePatch(this.position, patch);
    /** @type {number[]} */
    const changed = [];
    if (outcome !== 'apply') return { outcome, changed };
    STATE_NAMES.forEach((name, after) => {
      for (const seat of patch[name] ?? []) {
        const before = this.states[seat];
        if (before === undefined || before === after) continue;
        this.states[seat] = after;
        changed.push(seat);
        onChange(seat, before, after);
      }
    });
    this.position = { epoch: patch.epoch, revision: patch.revision };
    return { outcome, changed };
  }
}
