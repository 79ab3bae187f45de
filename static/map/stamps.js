// @ts-check
/**
 * Small pictures of a seat, one for each look, drawn once for a size and then copied pixel by pixel.
 *
 * State never shows by colour alone: an available seat is a filled disc (a rounded square if it is wheelchair
 * accessible), a held one a ring, a sold one a small dot, a blocked one a small cross.
 *
 * @typedef {import('./palette.js').Palette} Palette
 * @typedef {Uint32Array} Stamp
 * The pixels of a square, line by line.
 */

export const LOOK = { available: 0, held: 1, sold: 2, blocked: 3, dimmed: 4, accessible: 5, accessibleDimmed: 6 };
const LOOKS = Object.keys(LOOK).length;

/** From this radius on (CSS pixels) a seat shows its number. */
export const NUMBER_RADIUS_LEAST = 8.5;
const RADIUS_LEAST = 0.75;
const NUMBERED = new Set([LOOK.available, LOOK.held, LOOK.accessible, LOOK.dimmed, LOOK.accessibleDimmed]);

export class Stamps {
  /**
   * @param {number} radius device pixels
   * @param {number} density device pixels in a CSS pixel
   * @param {Palette} palette
   */
  constructor(radius, density, palette) {
    this.radius = Math.max(RADIUS_LEAST, radius);
    /** Steps within a pixel, each way, at which a small seat can stand: without them rows would look uneven. */
    this.phases = radius < 5 ? 4 : radius < 10 ? 2 : 1;
    this.showsNumbers = radius >= NUMBER_RADIUS_LEAST * density;
    this._palette = palette;
    /** The pixel of a stamp, each way, in which the seat's middle lies; and a stamp's side. */
    this.half = Math.ceil(this.radius);
    this.size = 2 * this.half + 1;
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = this.size;
    this._context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
    /** @type {(Stamp | undefined)[]} */
    this._plain = new Array(LOOKS * this.phases * this.phases);
    /** @type {Map<string, Stamp>} */
    this._numbered = new Map();
  }

  /** @param {number} look @param {number} phaseX @param {number} phaseY @returns {Stamp} */
  plain(look, phaseX, phaseY) {
    const place = (look * this.phases + phaseY) * this.phases + phaseX;
    return (this._plain[place] ??= this._make(look, (phaseX + 0.5) / this.phases, (phaseY + 0.5) / this.phases, ''));
  }

  /** @param {number} look @param {string} number @returns {Stamp} */
  numbered(look, number) {
    if (!NUMBERED.has(look)) return this.plain(look, 0, 0);
    const key = look + number;
    let stamp = this._numbered.get(key);
    if (!stamp) {
      stamp = this._make(look, 0.5, 0.5, number);
      this._numbered.set(key, stamp);
    }
    return stamp;
  }

  /** @param {number} look @param {number} dx @param {number} dy @param {string} number @returns {Stamp} */
  _make(look, dx, dy, number) {
    const context = this._context;
    const { half, size } = this;
    context.clearRect(0, 0, size, size);
    drawSeat(context, half + dx, half + dy, this.radius, look, this._palette, number);
    return new Uint32Array(context.getImageData(0, 0, size, size).data.buffer);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @param {number} look
 * @param {Palette} palette
 * @param {string} number
 */
function drawSeat(context, x, y, radius, look, palette, number) {
  const isDimmed = look === LOOK.dimmed || look === LOOK.accessibleDimmed;
  context.globalAlpha = isDimmed ? 0.22 : 1;
  context.beginPath();
  if (look === LOOK.held) {
    const width = Math.max(radius * 0.3, Math.min(1, radius * 0.5));
    context.lineWidth = width;
    context.strokeStyle = palette.held;
    context.arc(x, y, radius - width / 2, 0, 2 * Math.PI);
    context.stroke();
  } else if (look === LOOK.sold) {
    context.fillStyle = palette.sold;
    context.arc(x, y, Math.max(radius * 0.42, 0.55), 0, 2 * Math.PI);
    context.fill();
  } else if (look === LOOK.blocked) {
    const arm = radius * 0.45;
    context.lineWidth = Math.max(radius * 0.2, 0.5);
    context.strokeStyle = palette.blocked;
    context.moveTo(x - arm, y - arm);
    context.lineTo(x + arm, y + arm);
    context.moveTo(x + arm, y - arm);
    context.lineTo(x - arm, y + arm);
    context.stroke();
  } else {
    context.fillStyle = palette.available;
    if (look === LOOK.accessible || look === LOOK.accessibleDimmed) {
      const side = radius * 0.92;
      context.roundRect(x - side, y - side, 2 * side, 2 * side, radius * 0.3);
    } else context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  }
  if (number) {
    context.fillStyle = look === LOOK.held ? palette.faint : palette.paper;
    context.font = `600 ${radius * (number.length > 2 ? 0.74 : 0.95)}px system-ui, sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(number, x, y + radius * 0.06);
  }
  context.globalAlpha = 1;
}
