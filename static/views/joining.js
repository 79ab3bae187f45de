// @ts-check
/**
 * Joining a waiting room, with what it may ask for before: a proof of work, or a confirmed e-mail address.
 *
 * @typedef {import('../state/protocol.js').Command} Command
 * @typedef {'proof_failed' | 'proof_refused' | 'proof_insecure' | 'email_not_verified'} Obstacle
 *
 * @typedef {object} Desk
 * @property {(command: Command) => void} send
 * @property {() => boolean} isAsked whether joining waits for its answer
 * @property {() => void} onChange something looks different now
 * @property {AbortSignal} signal
 */

import { note, say } from '../announcer.js';
import { api } from '../api.js';
import { h } from '../dom.js';
import { canSolve, solve } from '../state/challenge.js';
import { hexOf } from '../state/draw.js';
import { T } from '../texts.js';

const NONCE_BYTES = 32;

export class Joining {
  /** @param {string} eventId @param {Desk} desk */
  constructor(eventId, desk) {
    this._eventId = eventId;
    this._desk = desk;
    /** The browser works for its proof. */
    this.isProving = false;
    /** @type {Obstacle | null} */
    this._obstacle = null;
  }

  /** The nonce of the entry is chosen here, so that not even the server could have picked it. @param {string} [proof] */
  join(proof) {
    if (this.isProving) return;
    this._obstacle = null;
    const nonce = hexOf(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
    this._desk.send({ type: 'join_queue', id: crypto.randomUUID(), nonce, ...(proof === undefined ? {} : { proof }) });
  }

  /** @param {Command} command @param {string} code @returns {boolean} whether it is one that is dealt with here */
  refused(command, code) {
    if (command.type !== 'join_queue') return false;
    if (code === 'email_not_verified') this._meet('email_not_verified');
    else if (code !== 'proof_required') return false;
    else if (command.proof !== undefined) this._meet('proof_refused');
    else if (!canSolve()) this._meet('proof_insecure');
    else void this._prove();
    return true;
  }

  async _prove() {
    const { onChange, signal } = this._desk;
    this.isProving = true;
    say(T.line.proving);
    onChange();
    try {
      const proof = await solve(await api.lobbyChallenge(this._eventId), signal);
      this.isProving = false;
      this.join(proof);
    } catch (problem) {
      if (signal.aborted) return;
      console.warn(problem);
      this.isProving = false;
      this._meet('proof_failed');
    }
  }

  /** @param {Obstacle} obstacle */
  _meet(obstacle) {
    this._obstacle = obstacle;
    say(T.line.obstacles[obstacle], { isUrgent: true });
    this._desk.onChange();
  }

  async _sendMail() {
    try {
      await api.resendVerification();
      note(T.line.mailSent, 'good');
    } catch (problem) {
      note(problem instanceof Error && problem.message ? problem.message : T.error.unknown, 'warn');
    }
  }

  /** The button, and what is in the way. @param {string} label @param {() => void} onclick @returns {(HTMLElement | null)[]} */
  show(label, onclick) {
    const isBusy = this.isProving || this._desk.isAsked();
    return [
      this._obstacle ? h('p.problem', { 'data-obstacle': this._obstacle }, T.line.obstacles[this._obstacle]) : null,
      this._obstacle === 'email_not_verified'
        ? h('button.button.quiet.wide', { type: 'button', 'data-key': 'send-mail', onclick: () => void this._sendMail() }, T.line.sendMail)
        : null,
      h('button.button.primary.wide', { type: 'button', 'data-key': 'join', disabled: isBusy, onclick }, isBusy ? [h('span.spinner', { 'aria-hidden': 'true' }), T.line.joining] : label),
      this.isProving ? h('p.hint', { 'data-proving': true }, T.line.proving) : null,
    ];
  }
}
