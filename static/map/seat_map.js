// @ts-check
/**
 * The seat map: one picture, one camera, one drawing per animation frame.
 *
 * It knows the plan and how each seat looks, and tells what a visitor did; it decides nothing about sales.
 *
 * @typedef {import('../state/camera.js').Point} Point
 * @typedef {import('../state/camera.js').Box} Box
 * @typedef {import('../state/plan.js').Plan} Plan
 *
 * @typedef {object} MapListener
 * @property {(seat: number) => void} onToggle a seat was clicked, tapped, or chosen by key
 * @property {(seat: number) => void} onFocus the focus ring moved by key
 * @property {(hovered: {seat: number, section: number}, at: Point | null) => void} onHover -1 for none
 * @property {() => void} onView the map shows another part of the plan
 */

import { toPlan, toScreen, visibleBox } from '../state/camera.js';
import { Neighbours } from '../state/neighbours.js';
import { AVAILABLE, HELD } from '../state/protocol.js';
import { firstFocus, seatAt, sectionAt } from './finding.js';
import { listenToGestures } from './gestures.js';
import { Picture } from './picture.js';
import { LOOK } from './stamps.js';
import { Viewport } from './viewport.js';

/** A finger needs a seat of this size, a mouse one of that; below, a tap zooms in instead (CSS pixels across). */
const TOUCH_SEAT_LEAST = 24;
const MOUSE_SEAT_LEAST = 7;
/** How large seats become where a tap was too far away to mean one; below the last size a click shows the section. */
const TOUCH_SEAT_NEAR = 28;
const MOUSE_SEAT_NEAR = 18;
const SECTION_SEAT_MOST = 10;
const CARD_AFTER_TAP_MS = 2_000;

export class SeatMap {
  /** @param {HTMLElement} frame the element to fill; it takes the focus @param {Plan} plan @param {MapListener} listener */
  constructor(frame, plan, listener) {
    this._frame = frame;
    this._plan = plan;
    this._listener = listener;
    this._neighbours = new Neighbours(plan);
    this._picture = new Picture(frame, plan, this._neighbours);
    this._marked = this._picture.marked;
    this._viewport = new Viewport(plan, () => this._onMove());
    /** @type {Point | null} where the pointer is */
    this._pointer = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._cardTimer = undefined;
    /** @type {Uint8Array | null} */
    this._states = null;
    /** @type {ReadonlySet<number> | null} the categories not dimmed; null: none is dimmed */
    this._filter = null;

    /** @type {Set<number>} seats that look different since the last frame */
    this._changed = new Set();
    this._needs = { all: false, marks: false };
    this._requested = 0;
    this._life = new AbortController();
    this._listen();
  }

  destroy() {
    this._life.abort();
    cancelAnimationFrame(this._requested);
    this._viewport.stop();
    clearTimeout(this._cardTimer);
    this._picture.remove();
  }

  /** @param {Uint8Array} states of all seats; kept, and read again when seats change */
  setStates(states) {
    this._states = states;
    for (let seat = 0; seat < states.length; seat++) this._picture.looks[seat] = this._lookOf(seat);
    this._needs.all = true;
    this._request();
  }

  /** @param {Iterable<number>} seats whose state is another */
  update(seats) {
    for (const seat of seats) {
      this._picture.looks[seat] = this._lookOf(seat);
      this._changed.add(seat);
    }
    this._request();
  }

  /** @param {number[]} mine @param {number[]} selected */
  mark(mine, selected) {
    Object.assign(this._marked, { mine, selected });
    this._requestMarks();
  }

  /** @param {ReadonlySet<number> | null} categories dims the seats of all others */
  filter(categories) {
    this._filter = categories;
    if (this._states) this.setStates(this._states);
  }

  /** @param {number} factor */
  zoomBy(factor) {
    this._viewport.zoomBy(factor);
  }

  showWhole() {
    this._viewport.showWhole();
  }

  /** @param {Box} box plan units: a section, a row, some seats */
  show(box) {
    this._viewport.show(box);
  }

  /** @param {Point} point plan units, to be in the middle of the view */
  centreOn(point) {
    this._viewport.centreOn(point);
  }

  /** @returns {boolean} all of the venue is in view */
  get isWhole() {
    return this._viewport.isWhole;
  }

  /** @returns {Box} plan units */
  get seen() {
    return visibleBox(this._viewport.camera, this._viewport.view);
  }

  _listen() {
    const { signal } = this._life;
    const viewport = this._viewport;
    const meanings = {
      pan: viewport.pan.bind(viewport),
      pinch: viewport.pinch.bind(viewport),
      zoom: (/** @type {number} */ factor, /** @type {Point | null} */ at) => {
        if (at) return viewport.zoomAt(factor, at);
        viewport.zoomBy(factor);
        return true;
      },
      tap: this._onTap.bind(this),
      hover: this._onHover.bind(this),
      step: this._onStep.bind(this),
      toggle: () => {
        if (this._marked.focused >= 0) this._listener.onToggle(this._marked.focused);
      },
      whole: () => viewport.showWhole(),
    };
    listenToGestures(this._frame, meanings, signal);
    this._frame.addEventListener('focus', () => this._onFrameFocus(), { signal });
    this._frame.addEventListener('blur', () => this._setFocused(-1), { signal });
    for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)']) {
      matchMedia(query).addEventListener('change', () => this._onPalette(), { signal });
    }
    const observer = new ResizeObserver(() => this._onResize());
    observer.observe(this._frame);
    signal.addEventListener('abort', () => observer.disconnect());
  }

  // What a visitor does

  /** @param {Point} at @param {boolean} isTouch */
  _onTap(at, isTouch) {
    const { seatSize } = this._viewport;
    if (seatSize >= (isTouch ? TOUCH_SEAT_LEAST : MOUSE_SEAT_LEAST)) {
      const seat = seatAt(this._plan, this._neighbours, this._viewport.camera, at, isTouch);
      if (seat >= 0) this._listener.onToggle(seat);
      // A finger hides what is beside it: the card goes into the corner.
      if (isTouch) this._showForAWhile(seat);
      return;
    }
    const section = sectionAt(this._plan, this._neighbours, this._viewport.camera, at);
    if (section < 0) return;
    if (seatSize < SECTION_SEAT_MOST && !isTouch) this._viewport.show(this._plan.sections[section].box);
    else this._viewport.approach(toPlan(this._viewport.camera, at), isTouch ? TOUCH_SEAT_NEAR : MOUSE_SEAT_NEAR);
  }

  /** @param {number} seat that a finger has touched */
  _showForAWhile(seat) {
    clearTimeout(this._cardTimer);
    this._listener.onHover({ seat, section: -1 }, { x: 0, y: 0 });
    this._cardTimer = setTimeout(() => this._listener.onHover({ seat: -1, section: -1 }, null), CARD_AFTER_TAP_MS);
  }

  /** @param {Point | null} at */
  _onHover(at) {
    this._pointer = at;
    const isNear = this._viewport.seatSize >= MOUSE_SEAT_LEAST;
    const seat = at && isNear ? seatAt(this._plan, this._neighbours, this._viewport.camera, at, false) : -1;
    const section = at && !isNear ? sectionAt(this._plan, this._neighbours, this._viewport.camera, at) : -1;
    this._frame.classList.toggle('is-over', seat >= 0 || section >= 0);
    if (seat !== this._marked.hovered) {
      this._marked.hovered = seat;
      this._requestMarks();
    }
    if (section !== this._picture.hoveredSection) {
      this._picture.hoveredSection = section;
      this._picture.drawShapes();
    }
    this._listener.onHover({ seat, section }, at);
  }

  /** @param {number} dx @param {number} dy */
  _onStep(dx, dy) {
    const { focused } = this._marked;
    this._setFocused(focused < 0 ? firstFocus(this._plan, this._states, [...this._marked.mine, ...this._marked.selected]) : this._neighbours.towards(focused, dx, dy));
    this._viewport.reveal(this._plan.pointOf(this._marked.focused), 2 * MOUSE_SEAT_LEAST);
    this._listener.onFocus(this._marked.focused);
    this._showAtFocus();
  }

  _onFrameFocus() {
    if (!this._frame.matches(':focus-visible')) return;
    this._setFocused(firstFocus(this._plan, this._states, [...this._marked.mine, ...this._marked.selected]));
    this._listener.onFocus(this._marked.focused);
  }

  /** @param {number} seat */
  _setFocused(seat) {
    this._marked.focused = seat;
    if (seat < 0) this._listener.onHover({ seat: -1, section: -1 }, null);
    this._requestMarks();
  }

  /** The card stands beside the focus ring, as it does beside the pointer. */
  _showAtFocus() {
    const { focused } = this._marked;
    if (focused < 0 || this._pointer) return;
    this._listener.onHover({ seat: focused, section: -1 }, toScreen(this._viewport.camera, this._plan.pointOf(focused)));
  }

  // The view

  _onResize() {
    const { clientWidth: width, clientHeight: height } = this._frame;
    if (width === 0 || height === 0) return;
    this._picture.resize({ width, height });
    this._viewport.resize(width, height);
    this._drawAll(performance.now());
  }

  _onMove() {
    this._needs.all = true;
    delete this._frame.dataset['camera'];
    this._request();
  }

  // Drawing

  _onPalette() {
    this._picture.readColours();
    this._needs.all = true;
    this._request();
  }

  /** @param {number} seat @returns {number} */
  _lookOf(seat) {
    const state = /** @type {Uint8Array} */ (this._states)[seat];
    const isDimmed = this._filter !== null && !this._filter.has(this._plan.category[seat]);
    if (state === HELD) return LOOK.held;
    if (state !== AVAILABLE) return state;
    if (this._plan.isAccessible(seat)) return isDimmed ? LOOK.accessibleDimmed : LOOK.accessible;
    return isDimmed ? LOOK.dimmed : LOOK.available;
  }

  _requestMarks() {
    this._needs.marks = true;
    this._request();
  }

  _request() {
    if (this._requested === 0) this._requested = requestAnimationFrame((now) => this._onFrame(now));
  }

  /** @param {number} now */
  _onFrame(now) {
    this._requested = 0;
    if (this._life.signal.aborted || this._viewport.view.width === 0) return;
    this._viewport.advance(now);
    if (this._needs.all) this._drawAll(now);
    else {
      if (this._changed.size > 0) this._drawChanged();
      if (this._needs.marks) this._picture.drawMarks();
      this._needs.marks = false;
    }
    if (this._viewport.isFlying) this._request();
  }

  /** @param {number} now */
  _drawAll(now) {
    this._needs = { all: false, marks: false };
    const { camera, isMoving } = this._viewport;
    if (this._picture.draw(camera, isMoving, now)) this._changed.clear();
    this._listener.onView();
    if (!isMoving) this._onRest();
  }

  _drawChanged() {
    this._picture.drawSeats(this._changed);
    this._changed.clear();
  }

  /** Tell the camera, for whoever must find a seat on the screen; and whether a finger may scroll the page. */
  _onRest() {
    const { scale, x, y } = this._viewport.camera;
    this._frame.dataset['camera'] = [scale, x, y].join(' ');
    this._frame.classList.toggle('is-whole', this._viewport.isWhole);
    // What is under the resting pointer is another seat now.
    if (this._pointer) this._onHover(this._pointer);
    else this._showAtFocus();
  }
}
