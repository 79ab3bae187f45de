// @ts-check
/**
 * The top canvas: my seats, my choice, the focus ring and what is under the pointer.
 *
 * @typedef {import('../state/camera.js').Camera} Camera
 * @typedef {import('../state/plan.js').Plan} Plan
 * @typedef {import('./palette.js').Palette} Palette
 * @typedef {{mine: number[], selected: number[], hovered: number, focused: number}} Marked
 */

/** My own seats can be found at any size: their marks do not shrink below this (CSS pixels). */
const RADIUS_LEAST = 5;

/**
 * @param {CanvasRenderingContext2D} context scaled to CSS pixels
 * @param {Plan} plan
 * @param {Camera} camera
 * @param {Palette} palette
 * @param {Marked} marked
 */
export function drawMarks(context, plan, camera, palette, marked) {
  const radius = plan.seatRadius * camera.scale;
  const at = (/** @type {number} */ seat) => ({
    x: plan.x[seat] * camera.scale + camera.x,
    y: plan.y[seat] * camera.scale + camera.y,
  });
  const large = Math.max(RADIUS_LEAST, radius * 1.22);
  if (marked.hovered >= 0 && radius >= 2) drawRing(context, at(marked.hovered), radius + 2.5, 2, palette.ink);
  for (const seat of marked.selected) drawSelected(context, at(seat), large, palette);
  for (const seat of marked.mine) drawMine(context, at(seat), large, palette);
  if (marked.focused >= 0) {
    const ring = Math.max(RADIUS_LEAST + 4, radius * 1.22 + 4);
    drawRing(context, at(marked.focused), ring, 5, palette.paper);
    drawRing(context, at(marked.focused), ring, 2.5, palette.ring);
  }
}

/** @param {CanvasRenderingContext2D} context @param {{x: number, y: number}} at @param {number} radius
 * @param {number} width @param {string} color */
function drawRing(context, at, radius, width, color) {
  context.beginPath();
  context.lineWidth = width;
  context.strokeStyle = color;
  context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {{x: number, y: number}} at @param {number} radius
 * @param {Palette} palette */
function drawSelected(context, at, radius, palette) {
  drawDisc(context, at, radius + 2, palette.paper);
  drawDisc(context, at, radius, palette.available);
  drawRing(context, at, radius, Math.max(2, radius * 0.16), palette.mine);
  const arm = radius * 0.4;
  context.beginPath();
  context.lineWidth = Math.max(1.5, radius * 0.17);
  context.lineCap = 'round';
  context.strokeStyle = palette.paper;
  context.moveTo(at.x - arm, at.y);
  context.lineTo(at.x + arm, at.y);
  context.moveTo(at.x, at.y - arm);
  context.lineTo(at.x, at.y + arm);
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {{x: number, y: number}} at @param {number} radius
 * @param {Palette} palette */
function drawMine(context, at, radius, palette) {
  drawDisc(context, at, radius + 2, palette.paper);
  drawDisc(context, at, radius, palette.mine);
  context.beginPath();
  context.lineWidth = Math.max(1.5, radius * 0.2);
  context.lineCap = context.lineJoin = 'round';
  context.strokeStyle = palette.onMine;
  context.moveTo(at.x - radius * 0.42, at.y + radius * 0.02);
  context.lineTo(at.x - radius * 0.1, at.y + radius * 0.36);
  context.lineTo(at.x + radius * 0.45, at.y - radius * 0.34);
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {{x: number, y: number}} at @param {number} radius
 * @param {string} color */
function drawDisc(context, at, radius, color) {
  context.beginPath();
  context.fillStyle = color;
  context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  context.fill();
}
