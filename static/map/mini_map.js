// @ts-check
/**
 * The whole venue in a corner, and in it what the map shows now; a press or a drag moves the map there.
 *
 * It is for the pointer alone: the keyboard goes from seat to seat, and 0 shows the whole venue.
 *
 * @typedef {import('../state/plan.js').Plan} Plan
 * @typedef {import('./seat_map.js').SeatMap} SeatMap
 */

import { fit, toPlan, toScreen } from '../state/camera.js';
import { readPalette } from './palette.js';

const MARGIN_PX = 6;
/** Seats drawn of a section without an outline, at most. */
const SEATS_DRAWN_MOST = 400;
const FRAME_LEAST_PX = 6;

export class MiniMap {
  /** @param {HTMLElement} element hidden while the whole venue is in view @param {Plan} plan @param {SeatMap} map */
  constructor(element, plan, map) {
    this._element = element;
    this._plan = plan;
    this._map = map;
    this._life = new AbortController();
    this._canvas = document.createElement('canvas');
    this._frame = document.createElement('i');
    element.replaceChildren(this._canvas, this._frame);
    element.hidden = true;
    const { signal } = this._life;
    const go = (/** @type {PointerEvent} */ event) => {
      if (!(event.buttons & 1)) return;
      const box = element.getBoundingClientRect();
      map.centreOn(toPlan(this._camera, { x: event.clientX - box.left - 1, y: event.clientY - box.top - 1 }));
    };
    element.addEventListener('pointerdown', (event) => {
      element.setPointerCapture(event.pointerId);
      go(event);
    }, { signal });
    element.addEventListener('pointermove', go, { signal });
    for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)']) {
      matchMedia(query).addEventListener('change', () => this._draw(), { signal });
    }
    this._camera = { scale: 1, x: 0, y: 0 };
  }

  destroy() {
    this._life.abort();
    this._element.replaceChildren();
    this._element.hidden = true;
  }

  /** The map shows another part. */
  update() {
    const { isWhole, seen } = this._map;
    if (this._element.hidden !== isWhole) {
      this._element.hidden = isWhole;
      if (!isWhole) this._draw();
    }
    if (isWhole) return;
    const { width, height } = this._canvas.getBoundingClientRect();
    const from = toScreen(this._camera, seen);
    const to = toScreen(this._camera, { x: seen.x + seen.width, y: seen.y + seen.height });
    const [left, top] = [Math.max(0, from.x), Math.max(0, from.y)];
    const { style } = this._frame;
    style.transform = `translate(${left}px, ${top}px)`;
    style.width = `${Math.max(FRAME_LEAST_PX, Math.min(width, to.x) - left)}px`;
    style.height = `${Math.max(FRAME_LEAST_PX, Math.min(height, to.y) - top)}px`;
  }

  _draw() {
    const { clientWidth: width, clientHeight: height } = this._canvas;
    const context = this._canvas.getContext('2d');
    if (!context || width === 0) return;
    const density = Math.min(3, devicePixelRatio || 1);
    this._canvas.width = Math.round(width * density);
    this._canvas.height = Math.round(height * density);
    context.scale(density, density);
    const { bounds, sections, stage } = this._plan;
    this._camera = fit(bounds, { width, height }, MARGIN_PX);
    const palette = readPalette(this._element);
    if (stage) this._fill(context, stage.outline, palette.stage);
    for (const { outline, category, first, count } of sections) {
      const tint = palette.tiers[category % palette.tiers.length];
      if (outline.length >= 6) this._fill(context, outline, tint);
      else this._dots(context, first, count, tint);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {number[]} outline @param {string} color */
  _fill(context, outline, color) {
    const { scale, x, y } = this._camera;
    context.beginPath();
    for (let k = 0; k < outline.length; k += 2) context.lineTo(outline[k] * scale + x, outline[k + 1] * scale + y);
    context.fillStyle = color;
    context.fill();
  }

  /** @param {CanvasRenderingContext2D} context @param {number} first @param {number} count @param {string} color */
  _dots(context, first, count, color) {
    const { scale, x, y } = this._camera;
    const step = Math.max(1, Math.floor(count / SEATS_DRAWN_MOST));
    const side = Math.max(1, this._plan.seatRadius * 2 * scale * Math.sqrt(step));
    context.fillStyle = color;
    for (let seat = first; seat < first + count; seat += step) {
      context.fillRect(this._plan.x[seat] * scale + x - side / 2, this._plan.y[seat] * scale + y - side / 2, side, side);
    }
  }
}
