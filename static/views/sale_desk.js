// @ts-check
/**
 * Where one event's sale, its socket and its views meet: messages go in, views are kept up to date, wishes become
 * commands. Every command has an id of its own, is sent again with it until it is answered, and has one effect.
 *
 * @typedef {import('../api.js').Event} Event
 * @typedef {import('../state/protocol.js').Command} Command
 * @typedef {import('../state/protocol.js').Message} Message
 * @typedef {import('./event_layout.js').Layout} Layout
 * @typedef {import('../socket.js').Status} Status
 */

import { note, say } from '../announcer.js';
import { fetchMap } from '../api.js';
import { fill } from '../dom.js';
import { go } from '../router.js';
import { session } from '../session.js';
import { EventSocket } from '../socket.js';
import { Plan } from '../state/plan.js';
import { Sale } from '../state/sale.js';
import { ServerClock } from '../state/times.js';
import { T } from '../texts.js';
import { Basket } from './basket.js';
import { connectionChip } from './chip.js';
import { Choosing } from './choosing.js';
import { Countdown } from './countdown.js';
import { Notices } from './notices.js';
import { remembered } from './remembered.js';
import { Room } from './room.js';
import { closedNotice } from './sale_status.js';
import { signInPath } from './sign_page.js';
import { trouble } from './states.js';
import { WaitingRoom } from './waiting_room.js';

export class SaleDesk {
  /** @param {Event} event @param {Layout} layout @param {AbortSignal} signal */
  constructor(event, layout, signal) {
    this._event = event;
    this._layout = layout;
    this._signal = signal;
    this._memory = remembered(event.id);
    this._clock = new ServerClock(() => performance.now());
    this._sale = new Sale(0, event.max_tickets_per_user);
    /** @type {Room | null} */
    this._room = null;
    this._mapUrl = '';
    /** @type {Plan | null} */
    this._planWaiting = null;
    this._isSignedIn = false;
    this._problem = '';
    /** @type {import('./sale_status.js').SaleStatus} */
    this._status = { status: event.status, onSaleAtMs: Date.parse(event.on_sale_date), orphanRule: event.orphan_rule };
    this._countdown = new Countdown(() => this._clock.now(), (text) => say(text, { isUrgent: true }));
    this._choosing = new Choosing(this._whatChoosingNeeds());
    this._notices = new Notices(this._whatNoticesNeed(), signal);
    this._basket = new Basket(layout.basket, this._wishes());
    this._closed = closedNotice(() => this._clock.now(), signal);
    this._waitingRoom = new WaitingRoom(event, this._whatTheWaitingRoomNeeds());
    this._frame = 0;
    this._hasNewCounts = false;
    this._socket = new EventSocket(event.id, {
      position: () => this._sale.table.position,
      onMessage: (message) => this._onMessage(message),
      unanswered: () => this._sale.unanswered(),
      onStatus: (status) => this._onStatus(status),
    });
    this._chip = connectionChip(this._socket, signal);
    fill(layout.chip, this._chip.element);
  }

  start() {
    this._socket.start();
    this._signal.addEventListener('abort', () => this._stop());
  }

  _stop() {
    this._socket.stop();
    this._countdown.stop();
    cancelAnimationFrame(this._frame);
    this._room?.destroy();
  }

  // Messages

  /** @param {Message} message @returns {boolean} the map is lost */
  _onMessage(message) {
    if ('server_time_ms' in message) this._clock.learn(message.server_time_ms);
    if (message.type === 'welcome') {
      this._onWelcome(message);
      return false;
    }
    if (message.type === 'event') this._onEvent(message.status, message.on_sale_at_ms, message.orphan_rule);
    this._waitingRoom.receive(message);
    const { seats, notices, reopen } = this._sale.receive(message);
    if (message.type === 'snapshot') this._onSnapshot();
    else if (seats !== 'all' && seats.length > 0) this._onSeats(seats);
    for (const notice of notices) this._notices.tell(notice);
    if (message.type !== 'heartbeat' && message.type !== 'pong' && message.type !== 'patch') this._refresh();
    else if (notices.length > 0) this._refresh();
    return reopen;
  }

  /** @param {Extract<Message, {type: 'welcome'}>} message */
  _onWelcome(message) {
    this._isSignedIn = message.user !== null;
    this._waitingRoom.welcome(message.user);
    if (!message.user && session.account) session.forget();
    if (message.map_url !== this._mapUrl) {
      this._mapUrl = message.map_url;
      const { onSeatChange } = this._sale;
      this._sale = new Sale(message.seat_count, this._event.max_tickets_per_user);
      this._sale.onSeatChange = onSeatChange;
      this._sale.selected = this._memory.chosen.filter((seat) => seat < message.seat_count);
      if (this._isSignedIn && this._memory.checkout) this._sale.begin(this._memory.checkout);
      this._loadMap();
    }
    this._refresh();
  }

  async _loadMap() {
    const url = this._mapUrl;
    try {
      const json = await fetchMap(url);
      if (this._signal.aborted || url !== this._mapUrl) return;
      this._furnish(new Plan(json));
    } catch (problem) {
      if (this._signal.aborted) return;
      console.warn(problem);
      fill(this._layout.mapNotice, trouble(problem, () => {
        fill(this._layout.mapNotice);
        this._loadMap();
      }));
    }
  }

  /** The plan is here: make everything that needs it, as soon as the states are here too. @param {Plan} plan */
  _furnish(plan) {
    if (!this._sale.table.position) {
      this._planWaiting = plan;
      return;
    }
    this._planWaiting = null;
    this._room?.destroy();
    this._room = new Room(this._layout, plan, this._sale, this._memory.wish, {
      onToggle: (seat) => this._choosing.toggle(seat),
      onFind: (wish) => this._choosing.find(wish),
    });
    fill(this._layout.mapNotice);
    this._onSnapshot();
    this._choosing.findWhatWasAsked();
  }

  _onSnapshot() {
    if (this._planWaiting) this._furnish(this._planWaiting);
    if (!this._room) return;
    this._room.reload();
    this._hasNewCounts = true;
    this._layout.mapFrame.dataset['ready'] = 'true';
    this._refresh();
  }

  /** @param {number[]} seats that look different now */
  _onSeats(seats) {
    this._room?.update(seats);
    this._hasNewCounts = true;
    this._requestFrame();
  }

  /** @param {string} status @param {number} onSaleAtMs @param {string} orphanRule */
  _onEvent(status, onSaleAtMs, orphanRule) {
    if (this._status.status === 'upcoming' && status === 'on_sale') note(T.event.nowOnSale, 'good');
    this._status = { status, onSaleAtMs, orphanRule };
    this._layout.onStatus(status);
  }

  /** @param {Status} status */
  _onStatus(status) {
    this._chip.update();
    this._layout.root.dataset['connection'] = status;
    if (status === 'no_such_event') this._layout.onGone();
    if (status === 'signed_out') this._onSignedOut();
    if (status === 'not_allowed' || status === 'not_understood') this._problem = T.connection.final;
    if (status === 'reconnecting') say(T.connection.lost);
    this._refresh();
  }

  /** The session is dead. A dead cookie would be refused again: it is given up, and the map is watched without one. */
  async _onSignedOut() {
    note(T.notices.sessionEnded, 'warn');
    this._isSignedIn = false;
    await session.signOut().catch(() => session.forget());
    if (!this._signal.aborted && !this._hasLeftSession) this._socket.start();
    this._hasLeftSession = true;
  }

  // Wishes

  /** @returns {import('./choosing.js').Desk} */
  _whatChoosingNeeds() {
    return {
      sale: () => this._sale,
      room: () => this._room,
      isSignedIn: () => this._isSignedIn,
      isOnSale: () => this._status.status === 'on_sale',
      orphanRule: () => this._status.orphanRule,
      memory: this._memory,
      send: (command) => this._send(command),
      onChange: (seats) => {
        this._problem = '';
        this._onSeats(seats);
        this._refresh();
      },
      signal: this._signal,
    };
  }

  /** @returns {import('./notices.js').Desk} */
  _whatNoticesNeed() {
    return {
      sale: () => this._sale,
      choosing: this._choosing,
      memory: this._memory,
      setProblem: (problem) => (this._problem = problem),
      resend: (command) => this._resend(command),
      onJoinRefused: (command, code) => this._waitingRoom.refused(command, code),
      onNotAdmitted: () => void (this._waitingRoom.turnsAway() || note(T.refusals['not_admitted'] ?? '', 'warn')),
    };
  }

  /** @returns {import('./waiting_room.js').Desk} */
  _whatTheWaitingRoomNeeds() {
    return {
      now: () => this._clock.now(),
      status: () => this._status,
      send: (command) => this._send(command),
      isAsked: () => this._sale.pendingOf('join_queue') !== null,
      onChange: () => this._refresh(),
      memory: this._memory,
      signal: this._signal,
    };
  }

  /** @returns {import('./basket.js').BasketListener} */
  _wishes() {
    return {
      onHold: () => this._choosing.holdChosen(),
      onRemove: (seat) => this._choosing.toggle(seat),
      onClear: () => this._choosing.clear(),
      onRelease: (seats) => this._choosing.release(seats),
      onExtend: () => this._send({ type: 'extend_hold', id: crypto.randomUUID() }),
      onPay: (method) => {
        const command = /** @type {const} */ ({ type: 'checkout', id: crypto.randomUUID(), payment_method: method });
        this._memory.checkout = command;
        this._send(command);
      },
      onSignIn: () => go(signInPath()),
      onShow: (seat) => this._room?.show([seat]),
    };
  }

  /** @param {Command} command */
  _send(command) {
    if (command.type.startsWith('hold_') && this._waitingRoom.turnsAway()) return;
    this._problem = '';
    this._choosing.advice = null;
    this._room?.finder.tell('');
    this._sale.begin(command);
    this._socket.send(command);
    this._refresh();
  }

  /** @param {Command} command the same one, with its id */
  _resend(command) {
    if (this._sale.pending.has(command.id)) this._socket.send(command);
  }

  // What is shown

  /** Show the sale as it is, at the next frame. */
  _refresh() {
    if (this._mapUrl) this._memory.chosen = this._sale.selected;
    this._isStale = true;
    this._requestFrame();
  }

  _requestFrame() {
    if (this._frame === 0) this._frame = requestAnimationFrame(() => this._onFrame());
  }

  _onFrame() {
    this._frame = 0;
    if (this._signal.aborted || !this._room) return;
    if (this._hasNewCounts) {
      this._hasNewCounts = false;
      this._layout.onAvailable(this._room.updateCounts());
    }
    if (!this._isStale) return;
    this._isStale = false;
    this._room.mark();
    this._countdown.until(this._sale.hold.expires_at_ms);
    const { panel, turn } = this._waitingRoom.show();
    const closed = panel ?? this._closed.show(this._status);
    this._room.finder.show({ room: this._sale.room, isBusy: this._sale.pendingOf('hold_best') !== null, isClosed: closed !== null });
    this._basket.show({
      plan: this._room.plan,
      sale: this._sale,
      isSignedIn: this._isSignedIn,
      isLive: this._socket.status === 'live',
      closed,
      isLine: panel !== null,
      turn,
      countdown: this._countdown.element,
      problem: this._problem,
      advice: this._choosing.advice,
      ticketsMax: this._event.max_tickets_per_user,
    });
    this._layout.onBasket(this._sale);
  }

  /** A dead session was given up once already. */
  _hasLeftSession = false;
  _isStale = false;
}
