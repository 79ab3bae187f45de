// @ts-check
/**
 * One event's connection: it comes back by itself, with the position, until it is stopped or told that it is final.
 *
 *     idle ──start()──► connecting ──welcome──► opening ──snapshot, patch──► live
 *                           ▲                                                 │
 *                           └────────────── waiting ◄──── lost, silent ───────┘
 *
 * @typedef {import('./state/protocol.js').Message} Message
 * @typedef {import('./state/protocol.js').Command} Command
 * @typedef {import('./state/protocol.js').Position} Position
 * @typedef {'connecting' | 'live' | 'reconnecting' | 'signed_out' | 'not_allowed' | 'no_such_event'
 *   | 'not_understood' | 'stopped'} Status
 *
 * @typedef {object} Listener
 * @property {() => Position | null} position where to resume from
 * @property {(message: Message) => boolean} onMessage answers whether the message lost the map
 * @property {() => Command[]} unanswered commands to send again after a reconnect
 * @property {(status: Status) => void} onStatus
 */

import { HEARTBEAT_MS, SUBPROTOCOL, afterClose, readMessage, waitBeforeAttempt, writeOpen } from './state/protocol.js';

/** Without a word for two heartbeats and a bit, the connection is taken for dead. */
const SILENCE_MAX_MS = 2 * HEARTBEAT_MS + 4_000;
/** How long a first word, an answer to `open` or to a `ping` after waking up may take. */
const ANSWER_MAX_MS = 8_000;

export class EventSocket {
  /** @param {string} eventId @param {Listener} listener */
  constructor(eventId, listener) {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    this._url = `${scheme}://${location.host}/ws/events/${encodeURIComponent(eventId)}`;
    this._listener = listener;
    /** @type {WebSocket | null} */
    this._socket = null;
    this._attempt = 0;
    this._isOpening = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._retryTimer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._silenceTimer = undefined;
    /** @type {Status} */
    this.status = 'stopped';
    /** When anything was heard last, by `Date.now()`; 0 for never. */
    this.heardAt = 0;
    this._wake = () => this.wake();
  }

  start() {
    addEventListener('online', this._wake);
    document.addEventListener('visibilitychange', this._wake);
    this._connect();
  }

  stop() {
    removeEventListener('online', this._wake);
    document.removeEventListener('visibilitychange', this._wake);
    this._drop();
    this._setStatus('stopped');
  }

  /**
   * Send a command. One that cannot leave now is sent after the reconnect: the listener names the unanswered.
   *
   * @param {Command} command
   */
  send(command) {
    if (this._socket?.readyState === WebSocket.OPEN) this._socket.send(JSON.stringify(command));
  }

  /** The network or the tab is back: look at once whether the connection still lives. */
  wake() {
    if (document.visibilityState === 'hidden' || this.status === 'stopped') return;
    if (this.status === 'reconnecting' && !this._socket) {
      this._attempt = 0;
      this._connect();
    } else if (this._socket?.readyState === WebSocket.OPEN) {
      this._socket.send(JSON.stringify({ type: 'ping', at: Math.round(performance.now()) }));
      this._expectWord(ANSWER_MAX_MS);
    }
  }

  _connect() {
    this._drop();
    this._setStatus(this.heardAt === 0 ? 'connecting' : 'reconnecting');
    const socket = new WebSocket(this._url, [SUBPROTOCOL]);
    this._socket = socket;
    this._expectWord(ANSWER_MAX_MS);
    socket.onopen = () => this._open();
    socket.onmessage = (event) => this._heard(socket, String(event.data));
    socket.onclose = (event) => this._lost(socket, event.code);
  }

  /** Ask for the map, once, and for every answer that is still missing. */
  _open() {
    this._isOpening = true;
    this._socket?.send(writeOpen(this._listener.position()));
  }

  /** @param {WebSocket} socket @param {string} frame */
  _heard(socket, frame) {
    if (socket !== this._socket) return;
    this.heardAt = Date.now();
    this._expectWord(this._isOpening ? ANSWER_MAX_MS : SILENCE_MAX_MS);
    const message = readMessage(frame);
    if (message === null) return;
    const isLost = this._listener.onMessage(message);
    if (message.type === 'welcome') {
      for (const command of this._listener.unanswered()) this.send(command);
    } else if (isLost) {
      if (!this._isOpening) this._open();
    } else if (message.type === 'snapshot' || message.type === 'patch') {
      this._isOpening = false;
      this._attempt = 0;
      this._expectWord(SILENCE_MAX_MS);
      this._setStatus('live');
    }
  }

  /** @param {WebSocket} socket @param {number} code */
  _lost(socket, code) {
    if (socket !== this._socket) return;
    this._drop();
    const rule = afterClose(code);
    if (rule !== 'later' && rule !== 'slower') {
      this._setStatus(rule);
      return;
    }
    this._setStatus('reconnecting');
    const wait = waitBeforeAttempt(rule, this._attempt, Math.random());
    this._attempt += 1;
    this._retryTimer = setTimeout(() => this._connect(), wait);
  }

  _drop() {
    clearTimeout(this._retryTimer);
    clearTimeout(this._silenceTimer);
    const socket = this._socket;
    this._socket = null;
    this._isOpening = false;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(1000);
    }
  }

  /** @param {number} within_ms */
  _expectWord(within_ms) {
    clearTimeout(this._silenceTimer);
    this._silenceTimer = setTimeout(() => {
      if (this._socket) this._lost(this._socket, 1006);
    }, within_ms);
  }

  /** @param {Status} status */
  _setStatus(status) {
    if (status === this.status) return;
    this.status = status;
    this._listener.onStatus(status);
  }
}
