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

import { echo, note, say } from '../announcer.js';
import { fetchMap } from '../api.js';
import { fill } from '../dom.js';
import { SeatMap } from '../map/seat_map.js';
import { go } from '../router.js';
import { session } from '../session.js';
import { EventSocket } from '../socket.js';
import { Plan, boxAround } from '../state/plan.js';
import { Sale } from '../state/sale.js';
import { Tally } from '../state/tally.js';
import { ServerClock } from '../state/times.js';
import { T } from '../texts.js';
import { Basket } from './basket.js';
import { connectionChip } from './chip.js';
import { Countdown } from './countdown.js';
import { HoverCard } from './hover_card.js';
import { Legend } from './legend.js';
import { Notices } from './notices.js';
import { remembered } from './remembered.js';
import { closedNotice } from './sale_status.js';
import { SeatList } from './seat_list.js';
import { signInPath } from './sign_page.js';
import { trouble } from './states.js';
import { shortName, shortNames, spokenSeat } from './words.js';

export class SaleDesk {
  /** @param {Event} event @param {Layout} layout @param {AbortSignal} signal */
  constructor(event, layout, signal) {
    this._event = event;
    this._layout = layout;
    this._signal = signal;
    this._memory = remembered(event.id);
    this._clock = new ServerClock(() => performance.now());
    this._sale = new Sale(0, event.max_tickets_per_user);
    /** @type {{plan: Plan, map: SeatMap, list: SeatList, legend: Legend, card: HoverCard, tally: Tally} | null} */
    this._room = null;
    this._mapUrl = '';
    /** @type {Plan | null} */
    this._planWaiting = null;
    this._isSignedIn = false;
    this._problem = '';
    /** @type {import('./sale_status.js').SaleStatus} */
    this._status = { status: event.status, onSaleAtMs: Date.parse(event.on_sale_date) };
    this._countdown = new Countdown(() => this._clock.now(), (text) => say(text, { isUrgent: true }));
    this._notices = new Notices({
      sale: () => this._sale,
      names: (seats) => (this._room ? shortNames(this._room.plan, seats) : T.seats(seats.length)),
      memory: this._memory,
      setProblem: (problem) => (this._problem = problem),
      holdAgain: (seats) => {
        this._sale.selected = [...new Set([...this._sale.selected, ...seats])];
        this._hold(seats);
      },
      resend: (command) => this._resend(command),
    }, signal);
    this._basket = new Basket(layout.basket, this._wishes());
    this._closed = closedNotice(() => this._clock.now(), signal);
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
    this._room?.map.destroy();
  }

  // Messages

  /** @param {Message} message @returns {boolean} the map is lost */
  _onMessage(message) {
    if ('server_time_ms' in message) this._clock.learn(message.server_time_ms);
    if (message.type === 'welcome') {
      this._onWelcome(message);
      return false;
    }
    if (message.type === 'event') this._onEvent(message.status, message.on_sale_at_ms);
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
    const { mapFrame, list, legend, mapNotice } = this._layout;
    this._room?.map.destroy();
    const tally = new Tally(plan, this._sale.table.states);
    const card = new HoverCard(mapFrame, plan, this._sale, tally);
    const map = new SeatMap(mapFrame, plan, {
      onToggle: (seat) => this._toggle(seat),
      onFocus: (seat) => echo(spokenSeat(plan, seat, this._sale.lookOf(seat))),
      onHover: (hovered, at) => card.show(hovered, at),
    });
    this._room = {
      plan, map, card, tally,
      list: new SeatList(list, plan, this._sale, tally, {
        onToggle: (seat) => this._toggle(seat),
        onOpen: (section) => map.show(plan.sections[section].box),
        onOpenRow: (row) => map.show(plan.rows[row].box),
      }),
      legend: new Legend(legend, plan, (categories) => map.filter(categories)),
    };
    this._sale.onSeatChange = (seat, before, after) => tally.change(seat, before, after);
    fill(mapNotice);
    this._layout.onRoom(map, plan.hasAccessible);
    this._onSnapshot();
  }

  _onSnapshot() {
    if (this._planWaiting) this._furnish(this._planWaiting);
    if (!this._room) return;
    const { tally, map, list } = this._room;
    tally.recount(this._sale.table.states);
    map.setStates(this._sale.table.states);
    list.update('all');
    this._hasNewCounts = true;
    this._layout.mapFrame.dataset['ready'] = 'true';
    this._refresh();
  }

  /** @param {number[]} seats that look different now */
  _onSeats(seats) {
    this._room?.map.update(seats);
    this._room?.list.update(seats);
    this._hasNewCounts = true;
    this._requestFrame();
  }

  /** @param {string} status @param {number} onSaleAtMs */
  _onEvent(status, onSaleAtMs) {
    if (this._status.status === 'upcoming' && status === 'on_sale') note(T.event.nowOnSale, 'good');
    this._status = { status, onSaleAtMs };
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

  /** @param {number} seat */
  _toggle(seat) {
    if (!this._room) return;
    const { plan, map } = this._room;
    const outcome = this._sale.toggle(seat);
    if (outcome === 'mine') this._layout.basket.querySelector(`[data-key="remove-${seat}"]`)?.scrollIntoView({ block: 'nearest' });
    if (outcome === 'mine' || outcome === 'unavailable') note(T.notices.unavailable(shortName(plan, seat), T.looks[this._sale.lookOf(seat)]), 'info');
    if (outcome === 'full') note(T.basket.full(this._event.max_tickets_per_user), 'warn');
    if (outcome === 'selected' || outcome === 'unselected') {
      this._problem = '';
      say(spokenSeat(plan, seat, this._sale.lookOf(seat)));
      this._onSeats([seat]);
      map.update([seat]);
    }
    this._refresh();
  }

  /** @returns {import('./basket.js').BasketListener} */
  _wishes() {
    return {
      onHold: () => this._hold([...this._sale.selected]),
      onRemove: (seat) => this._toggle(seat),
      onClear: () => {
        for (const seat of [...this._sale.selected]) this._sale.toggle(seat);
        this._room?.list.update('all');
        this._refresh();
      },
      onRelease: (seats) => this._send({ type: 'release_seats', id: crypto.randomUUID(), seats }),
      onExtend: () => this._send({ type: 'extend_hold', id: crypto.randomUUID() }),
      onPay: (method) => {
        const command = /** @type {const} */ ({ type: 'checkout', id: crypto.randomUUID(), payment_method: method });
        this._memory.checkout = command;
        this._send(command);
      },
      onSignIn: () => go(signInPath()),
      onShow: (seat) => {
        if (!this._room) return;
        const { plan, map } = this._room;
        const { x, y } = plan.pointOf(seat);
        const around = plan.seatRadius * 20;
        map.show(boxAround([{ x: x - around, y: y - around, width: 2 * around, height: 2 * around }]));
      },
    };
  }

  /** @param {number[]} seats */
  _hold(seats) {
    this._send({ type: 'hold_seats', id: crypto.randomUUID(), seats });
  }

  /** @param {Command} command */
  _send(command) {
    this._problem = '';
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
    const { plan, map, list, legend, tally } = this._room;
    if (this._hasNewCounts) {
      this._hasNewCounts = false;
      list.updateCounts();
      legend.update(tally);
      this._layout.onAvailable(tally.total);
    }
    if (!this._isStale) return;
    this._isStale = false;
    map.mark(this._sale.hold.seats, this._sale.selected);
    list.update([...this._sale.hold.seats, ...this._sale.selected]);
    this._countdown.until(this._sale.hold.expires_at_ms);
    this._basket.show({
      plan,
      sale: this._sale,
      isSignedIn: this._isSignedIn,
      isLive: this._socket.status === 'live',
      closed: this._closed.show(this._status),
      countdown: this._countdown.element,
      problem: this._problem,
      ticketsMax: this._event.max_tickets_per_user,
    });
    this._layout.onBasket(this._sale);
  }

  /** A dead session was given up once already. */
  _hasLeftSession = false;
  _isStale = false;
}
