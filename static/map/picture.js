// @ts-check
/**
 * The map's picture: four canvases on top of each other, drawn as a whole or only where something changed.
 *
 *     shapes (stage, outlines) · seats (pixels) · words (names, rows) · marks (mine, chosen, focus, hover)
 *
 * @typedef {import('../state/camera.js').Camera} Camera
 * @typedef {import('../state/camera.js').View} View
 * @typedef {import('../state/plan.js').Plan} Plan
 * @typedef {import('../state/neighbours.js').Neighbours} Neighbours
 * @typedef {import('./marks.js').Marked} Marked
 */

import { drawShapes, drawWords } from './backdrop.js';
import { drawMarks } from './marks.js';
import { readPalette } from './palette.js';
import { SeatLayer } from './seat_layer.js';

const LAYERS = /** @type {const} */ (['shapes', 'seats', 'words', 'marks']);
const DENSITY_MOST = 3;
/** If a full drawing took longer than this, the moving map shows its last picture instead. */
const DRAW_WHILE_MOVING_MS = 7;
const SHARPEN_EVERY_MS = 160;

export class Picture {
  /** @param {HTMLElement} frame to be filled @param {Plan} plan @param {Neighbours} neighbours */
  constructor(frame, plan, neighbours) {
    this._frame = frame;
    this._plan = plan;
    this._canvases = LAYERS.map(() => document.createElement('canvas'));
    for (const canvas of this._canvases) canvas.setAttribute('aria-hidden', 'true');
    frame.prepend(...this._canvases);
    this._contexts = this._canvases.map((canvas, k) => (LAYERS[k] === 'seats' ? null : canvas.getContext('2d')));
    this._seats = new SeatLayer(this._canvases[1], plan, neighbours);
    this._palette = readPalette(frame);
    this._seats.setPalette(this._palette);
    /** @type {Camera} */
    this._camera = { scale: 1, x: 0, y: 0 };
    /** @type {View} */
    this._view = { width: 0, height: 0 };
    /** @type {Marked} what is drawn above all */
    this.marked = { mine: [], selected: [], hovered: -1, focused: -1 };
    /** The section under the pointer, or -1. */
    this.hoveredSection = -1;
    this._drawMs = 0;
    this._sharpAt = 0;
  }

  remove() {
    for (const canvas of this._canvases) canvas.remove();
  }

  /** @returns {Uint8Array} the look of each seat, to be written by whoever knows it */
  get looks() {
    return this._seats.looks;
  }

  /** @param {View} view CSS pixels */
  resize(view) {
    const density = Math.min(DENSITY_MOST, devicePixelRatio || 1);
    this._view = view;
    this._canvases.forEach((canvas, k) => {
      const context = this._contexts[k];
      if (!context) this._seats.resize(view.width, view.height, density);
      else {
        canvas.width = Math.max(1, Math.round(view.width * density));
        canvas.height = Math.max(1, Math.round(view.height * density));
        context.scale(density, density);
      }
    });
  }

  /** The style sheet gives other colours. */
  readColours() {
    this._palette = readPalette(this._frame);
    this._seats.setPalette(this._palette);
  }

  /**
   * Draw everything in view; while the map moves, and that would be too slow, the seats' last picture, moved.
   *
   * @param {Camera} camera
   * @param {boolean} isMoving
   * @param {number} now of the animation frame
   * @returns {boolean} the seats are drawn sharp
   */
  draw(camera, isMoving, now) {
    this._camera = camera;
    const pause = Math.max(SHARPEN_EVERY_MS, 6 * this._drawMs);
    const isSharp = !isMoving || this._drawMs <= DRAW_WHILE_MOVING_MS || now - this._sharpAt >= pause;
    if (isSharp) {
      const started = performance.now();
      this._seats.draw(camera);
      this._sharpAt = now;
      this._drawMs = performance.now() - started;
    } else this._seats.slide(camera);
    this.drawShapes();
    this._drawWords();
    this.drawMarks();
    return isSharp;
  }

  /** @param {ReadonlySet<number>} seats that look different now; nothing but these is drawn */
  drawSeats(seats) {
    this._seats.redraw(seats);
  }

  drawShapes() {
    const context = this._clear(0);
    if (context) drawShapes(context, this._plan, this._camera, this._palette, this.hoveredSection);
  }

  drawMarks() {
    const context = this._clear(3);
    if (context) drawMarks(context, this._plan, this._camera, this._palette, this.marked);
  }

  _drawWords() {
    const context = this._clear(2);
    if (context) drawWords(context, this._plan, this._camera, this._view, this._palette);
  }

  /** @param {number} layer @returns {CanvasRenderingContext2D | null} */
  _clear(layer) {
    const context = this._contexts[layer];
    context?.clearRect(0, 0, this._view.width, this._view.height);
    return context;
  }
}
