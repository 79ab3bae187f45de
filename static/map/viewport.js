// @ts-check
/**
 * Which part of the plan the map shows now, and the way to where it shall show next: moves, flights, and rest.
 *
 * @typedef {import('../state/camera.js').Camera} Camera
 * @typedef {import('../state/camera.js').Point} Point
 * @typedef {import('../state/camera.js').Box} Box
 * @typedef {import('../state/camera.js').View} View
 * @typedef {import('../state/plan.js').Plan} Plan
 */

import { between, centre, fit, keepInView, pan, pinch, toPlan, toScreen, zoom } from '../state/camera.js';

/** The largest seat, as a radius in CSS pixels; and how large a section or a seat that is shown becomes at most. */
const RADIUS_MOST = 17;
const RADIUS_SHOWN_MOST = 12;
const FLIGHT_MS = 380;
const REST_AFTER_MS = 110;
const REVEAL_MARGIN = 48;

export class Viewport {
  /** @param {Plan} plan @param {() => void} onChange the picture is another, or the map has come to rest */
  constructor(plan, onChange) {
    this._plan = plan;
    this._onChange = onChange;
    /** @type {Camera} */
    this.camera = { scale: 1, x: 0, y: 0 };
    /** @type {View} CSS pixels; nothing is seen before the first `resize` */
    this.view = { width: 0, height: 0 };
    this.isMoving = false;
    /** @type {{from: Camera, to: Camera, startedAt: number} | null} */
    this._flight = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._restTimer = undefined;
  }

  stop() {
    clearTimeout(this._restTimer);
    this._flight = null;
  }

  /** @returns {boolean} */
  get isFlying() {
    return this._flight !== null;
  }

  /** @returns {boolean} all of the venue is in view */
  get isWhole() {
    return this.camera.scale <= this._home().scale * 1.01;
  }

  /** @returns {number} how large a seat is, across, in CSS pixels */
  get seatSize() {
    return 2 * this._plan.seatRadius * this.camera.scale;
  }

  /** @param {number} width @param {number} height CSS pixels */
  resize(width, height) {
    const wasWhole = this.view.width === 0 || this.isWhole;
    const middle = toPlan(this.camera, this._middle());
    this.view = { width, height };
    this._flight = null;
    this.camera = wasWhole ? this._home() : centre(middle, this.camera.scale, this.view);
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this._move(pan(this.camera, dx, dy));
  }

  /** @param {[Point, Point]} before @param {[Point, Point]} after */
  pinch(before, after) {
    this._move(pinch(this.camera, before, after, this._limits()));
  }

  /** @param {number} factor @param {Point} at @returns {boolean} false when it cannot go further */
  zoomAt(factor, at) {
    const next = zoom(this.camera, factor, at, this._limits());
    if (next.scale === this.camera.scale) return false;
    this._move(next);
    return true;
  }

  /** @param {number} factor */
  zoomBy(factor) {
    this._fly(zoom(this._target(), factor, this._middle(), this._limits()));
  }

  showWhole() {
    this._fly(this._home());
  }

  /** @param {Box} box plan units: a section, a row, some seats */
  show(box) {
    const { scale } = fit(box, this.view, Math.min(64, this.view.width / 8));
    const most = RADIUS_SHOWN_MOST / this._plan.seatRadius;
    this._fly(centre({ x: box.x + box.width / 2, y: box.y + box.height / 2 }, Math.min(scale, most), this.view));
  }

  /** @param {Point} point plan units, to be in the middle of the view at once */
  centreOn(point) {
    this._move(centre(point, this.camera.scale, this.view));
  }

  /** @param {Point} point plan units @param {number} seatSize CSS pixels across */
  approach(point, seatSize) {
    this._fly(centre(point, seatSize / 2 / this._plan.seatRadius, this.view));
  }

  /** Bring a point into view, with seats of at least this size. @param {Point} point plan units @param {number} seatSize */
  reveal(point, seatSize) {
    const target = this._target();
    const at = toScreen(target, point);
    const { width, height } = this.view;
    const isSeen = Math.min(at.x, at.y, width - at.x, height - at.y) > REVEAL_MARGIN;
    const scale = Math.max(target.scale, seatSize / 2 / this._plan.seatRadius);
    if (!isSeen || scale > target.scale) this._fly(centre(point, scale, this.view));
  }

  /** Go on with a flight. @param {number} now of the animation frame */
  advance(now) {
    if (!this._flight) return;
    const { from, to, startedAt } = this._flight;
    const t = Math.min(1, Math.max(0, (now - startedAt) / FLIGHT_MS));
    if (t === 1) this._flight = null;
    this._set(t === 1 ? to : between(from, to, this.view, t));
  }

  /** @returns {Camera} where the map is, or is flying to */
  _target() {
    return this._flight?.to ?? this.camera;
  }

  /** @returns {Point} */
  _middle() {
    return { x: this.view.width / 2, y: this.view.height / 2 };
  }

  /** @returns {Camera} */
  _home() {
    return fit(this._plan.bounds, this.view, Math.min(28, this.view.width / 20));
  }

  /** @returns {{least: number, most: number}} */
  _limits() {
    const least = this._home().scale;
    return { least, most: Math.max(least, RADIUS_MOST / this._plan.seatRadius) };
  }

  /** @param {Camera} camera */
  _move(camera) {
    this._flight = null;
    this._set(camera);
  }

  /** @param {Camera} camera */
  _fly(camera) {
    const { least, most } = this._limits();
    const scale = Math.min(most, Math.max(least, camera.scale));
    const point = toPlan(camera, this._middle());
    const to = keepInView(centre(point, scale, this.view), this._plan.bounds, this.view);
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) this._move(to);
    else {
      this._flight = { from: this.camera, to, startedAt: performance.now() };
      this.isMoving = true;
      this._onChange();
    }
  }

  /** @param {Camera} camera */
  _set(camera) {
    this.camera = keepInView(camera, this._plan.bounds, this.view);
    this.isMoving = true;
    clearTimeout(this._restTimer);
    this._restTimer = setTimeout(() => {
      this.isMoving = false;
      this._onChange();
    }, REST_AFTER_MS);
    this._onChange();
  }
}
