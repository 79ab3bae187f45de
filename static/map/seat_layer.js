// @ts-check
/**
 * The canvas with all seats: pixels are written into one buffer, which is put on the canvas as a whole or in part.
 *
 * Writing pixels beats any drawing call here: a seat costs some tens of nanoseconds, and a changed seat is redrawn
 * alone. Only while the map moves and a full drawing would be too slow, the last picture is shown moved and scaled.
 *
 * @typedef {import('../state/camera.js').Camera} Camera
 * @typedef {import('../state/plan.js').Plan} Plan
 * @typedef {import('../state/neighbours.js').Neighbours} Neighbours
 * @typedef {import('./palette.js').Palette} Palette
 */

import { Stamps } from './stamps.js';

const STAMPS_KEPT = 6;
/** Redrawing one seat, with what it may overlap, costs about as much as drawing this many. */
const REDRAW_COST = 16;

export class SeatLayer {
  /** @param {HTMLCanvasElement} canvas @param {Plan} plan @param {Neighbours} neighbours */
  constructor(canvas, plan, neighbours) {
    this._canvas = canvas;
    this._context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    this._plan = plan;
    this._neighbours = neighbours;
    /** The look of each seat; the map's view keeps it. */
    this.looks = new Uint8Array(plan.count);
    this._density = 1;
    /** @type {ImageData | null} */
    this._image = null;
    this._pixels = new Uint32Array(0);
    this._stride = 0;
    this._drawnSeats = 0;
    /** @type {Palette | null} */
    this._palette = null;
    /** @type {Stamps | null} */
    this._stamps = null;
    /** @type {Map<number, Stamps>} */
    this._stampsKept = new Map();
    /** @type {Camera | null} that of the pixels in the buffer */
    this._drawn = null;
    /** @type {{canvas: HTMLCanvasElement, camera: Camera} | null} what is shown while the map moves */
    this._still = null;
  }

  /** @param {number} width CSS pixels @param {number} height @param {number} density */
  resize(width, height, density) {
    this._density = density;
    this._canvas.width = Math.max(1, Math.round(width * density));
    this._canvas.height = Math.max(1, Math.round(height * density));
    this._image = this._context.createImageData(this._canvas.width, this._canvas.height);
    this._pixels = new Uint32Array(this._image.data.buffer);
    this._stride = this._canvas.width;
    this._stampsKept.clear();
    this._drawn = this._still = null;
  }

  /** @param {Palette} palette */
  setPalette(palette) {
    this._palette = palette;
    this._stampsKept.clear();
  }

  /**
   * Draw every seat in view.
   *
   * @param {Camera} camera
   */
  draw(camera) {
    if (!this._image) return;
    this._still = null;
    this._drawn = camera;
    this._stamps = this._stampsFor(camera.scale);
    this._pixels.fill(0);
    const { width, height } = this._canvas;
    const { x: xs, y: ys, rows } = this._plan;
    const reach = this._plan.seatRadius;
    const [left, top] = [-camera.x / camera.scale - reach, -camera.y / camera.scale - reach];
    const right = left + width / this._density / camera.scale + 2 * reach;
    const bottom = top + height / this._density / camera.scale + 2 * reach;
    this._drawnSeats = 0;
    for (const { box, first, count } of rows) {
      if (box.x > right || box.y > bottom || box.x + box.width < left || box.y + box.height < top) continue;
      this._drawnSeats += count;
      for (let seat = first; seat < first + count; seat++) this._stampSeat(seat, xs[seat], ys[seat], 0, 0, width, height);
    }
    this._context.putImageData(this._image, 0, 0);
  }

  /**
   * Draw these seats anew, and what they overlap, and nothing else.
   *
   * @param {ReadonlySet<number>} seats
   */
  redraw(seats) {
    if (!this._image || !this._drawn || !this._stamps || this._still) return;
    if (seats.size * REDRAW_COST > this._drawnSeats) {
      this.draw(this._drawn);
      return;
    }
    const { width, height } = this._canvas;
    const { x: xs, y: ys } = this._plan;
    const { half, size } = this._stamps;
    const scale = this._drawn.scale * this._density;
    const near = size / scale;
    let [left, top, right, bottom] = [width, height, 0, 0];
    for (const seat of seats) {
      const x = Math.floor(xs[seat] * scale + this._drawn.x * this._density);
      const y = Math.floor(ys[seat] * scale + this._drawn.y * this._density);
      const x0 = Math.max(0, x - half);
      const y0 = Math.max(0, y - half);
      const x1 = Math.min(width, x - half + size);
      const y1 = Math.min(height, y - half + size);
      if (x0 >= x1 || y0 >= y1) continue;
      for (let line = y0; line < y1; line++) this._pixels.fill(0, line * width + x0, line * width + x1);
      this._neighbours.within(xs[seat] - near, ys[seat] - near, xs[seat] + near, ys[seat] + near, (other, ox, oy) =>
        this._stampSeat(other, ox, oy, x0, y0, x1, y1),
      );
      [left, top] = [Math.min(left, x0), Math.min(top, y0)];
      [right, bottom] = [Math.max(right, x1), Math.max(bottom, y1)];
    }
    if (left < right) this._context.putImageData(this._image, 0, 0, left, top, right - left, bottom - top);
  }

  /**
   * Show the last picture moved and scaled to where this camera looks; a draw at rest makes it sharp again.
   *
   * @param {Camera} camera
   */
  slide(camera) {
    if (!this._drawn) return;
    this._still ??= { canvas: copyOf(this._canvas), camera: this._drawn };
    const { canvas, camera: then } = this._still;
    const ratio = camera.scale / then.scale;
    const x = (camera.x - then.x * ratio) * this._density;
    const y = (camera.y - then.y * ratio) * this._density;
    this._context.clearRect(0, 0, canvas.width, canvas.height);
    this._context.drawImage(canvas, x, y, canvas.width * ratio, canvas.height * ratio);
  }

  /**
   * Copy a seat's stamp into the buffer, within a rectangle. Where stamps overlap the denser pixel stays.
   *
   * @param {number} seat
   * @param {number} x plan units
   * @param {number} y
   * @param {number} left device pixels
   * @param {number} top
   * @param {number} right
   * @param {number} bottom
   */
  _stampSeat(seat, x, y, left, top, right, bottom) {
    const camera = /** @type {Camera} */ (this._drawn);
    const stamps = /** @type {Stamps} */ (this._stamps);
    const px = (x * camera.scale + camera.x) * this._density;
    const py = (y * camera.scale + camera.y) * this._density;
    const cx = Math.floor(px);
    const cy = Math.floor(py);
    const stamp = stamps.showsNumbers
      ? stamps.numbered(this.looks[seat], this._plan.numberOf(seat))
      : stamps.plain(this.looks[seat], Math.floor((px - cx) * stamps.phases), Math.floor((py - cy) * stamps.phases));
    const { size, half } = stamps;
    const x0 = cx - half;
    const y0 = cy - half;
    const fromX = x0 > left ? x0 : left;
    const toX = x0 + size < right ? x0 + size : right;
    const fromY = y0 > top ? y0 : top;
    const toY = y0 + size < bottom ? y0 + size : bottom;
    if (fromX >= toX) return;
    const stride = this._stride;
    const target = this._pixels;
    for (let line = fromY; line < toY; line++) {
      let from = (line - y0) * size + fromX - x0;
      let to = line * stride + fromX;
      for (const end = line * stride + toX; to < end; to++, from++) {
        const pixel = stamp[from];
        if (pixel >>> 24 > target[to] >>> 24) target[to] = pixel;
      }
    }
  }

  /** @param {number} scale @returns {Stamps} */
  _stampsFor(scale) {
    const radius = Math.round(this._plan.seatRadius * scale * this._density * 8) / 8;
    let stamps = this._stampsKept.get(radius);
    if (!stamps) {
      stamps = new Stamps(radius, this._density, /** @type {Palette} */ (this._palette));
      const [oldest] = this._stampsKept.keys();
      if (this._stampsKept.size >= STAMPS_KEPT && oldest !== undefined) this._stampsKept.delete(oldest);
      this._stampsKept.set(radius, stamps);
    }
    return stamps;
  }
}

/** @param {HTMLCanvasElement} canvas @returns {HTMLCanvasElement} */
function copyOf(canvas) {
  const copy = document.createElement('canvas');
  copy.width = canvas.width;
  copy.height = canvas.height;
  /** @type {CanvasRenderingContext2D} */ (copy.getContext('2d')).drawImage(canvas, 0, 0);
  return copy;
}
