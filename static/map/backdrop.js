// @ts-check
/**
 * What lies around the seats: the stage, the sections' outlines, other shapes; and the words on top of them.
 *
 * @typedef {import('../state/camera.js').Camera} Camera
 * @typedef {import('../state/camera.js').View} View
 * @typedef {import('../state/plan.js').Plan} Plan
 * @typedef {import('../state/plan.js').Section} Section
 * @typedef {import('./palette.js').Palette} Palette
 */

import { toScreen, visibleBox } from '../state/camera.js';
import { apart } from '../state/labels.js';
import { boxOfOutline } from '../state/shapes.js';

const FONT = 'system-ui, sans-serif';
/** From this radius on (CSS pixels) the rows' letters are shown, and the sections' names fade. */
const ROW_LABELS_RADIUS_LEAST = 4.5;
const SECTION_NAMES_RADIUS_MOST = 5.5;
const ROW_LABELS_FOLLOW_RADIUS_LEAST = 8;

/**
 * Draw the shapes below the seats.
 *
 * @param {CanvasRenderingContext2D} context scaled to CSS pixels
 * @param {Plan} plan
 * @param {Camera} camera
 * @param {Palette} palette
 * @param {number} hovered index of the section under the pointer, or -1
 */
export function drawShapes(context, plan, camera, palette, hovered) {
  const { areas, stage, sections } = plan;
  for (const area of areas) {
    drawPolygon(context, area.outline, camera, area.color || palette.line, area.border_color || '', 1, 0.35);
  }
  if (stage) drawPolygon(context, stage.outline, camera, palette.stage, '', 0, 1);
  const radius = plan.seatRadius * camera.scale;
  sections.forEach((section, k) => {
    const tint = palette.tiers[section.category % palette.tiers.length];
    const isHovered = k === hovered;
    drawPolygon(context, section.outline, camera, tint, tint, isHovered ? 2 : 1, isHovered ? 0.2 : 0.09 * Math.min(1, 6 / radius) + 0.02);
  });
}

/**
 * Draw the words above the seats.
 *
 * @param {CanvasRenderingContext2D} context scaled to CSS pixels
 * @param {Plan} plan
 * @param {Camera} camera
 * @param {View} view
 * @param {Palette} palette
 */
export function drawWords(context, plan, camera, view, palette) {
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  const { stage, areas, texts } = plan;
  const radius = plan.seatRadius * camera.scale;
  if (stage?.text) drawAreaText(context, stage.outline, stage.text, camera, palette.onStage);
  for (const area of areas) if (area.text) drawAreaText(context, area.outline, area.text, camera, palette.faint);
  for (const { text, x, y, size = 16, color } of texts) {
    drawText(context, text, x * camera.scale + camera.x, y * camera.scale + camera.y, size * camera.scale,
      color || palette.faint);
  }
  if (radius < SECTION_NAMES_RADIUS_MOST) drawSectionNames(context, plan, camera, palette, radius);
  if (radius >= ROW_LABELS_RADIUS_LEAST) drawRowLabels(context, plan, camera, view, palette, radius);
}

/** @param {CanvasRenderingContext2D} context @param {Plan} plan @param {Camera} camera @param {Palette} palette
 * @param {number} radius */
function drawSectionNames(context, plan, camera, palette, radius) {
  const labels = plan.sections.map((section) => sectionLabel(context, section, camera)).filter((label) => label !== null);
  labels.sort((a, b) => b.seats - a.seats);
  const fade = Math.min(1, (SECTION_NAMES_RADIUS_MOST - radius) / 1.2);
  context.save();
  for (const { name, x, y, size, box } of apart(labels)) {
    context.fillStyle = palette.paper;
    context.globalAlpha = fade * 0.95;
    context.beginPath();
    context.roundRect(box.x, box.y, box.width, box.height, size * 0.85);
    context.fill();
    context.globalAlpha = fade;
    context.fillStyle = palette.ink;
    context.font = sectionFont(size);
    context.fillText(name, x, y + 0.5);
  }
  context.restore();
}

/**
 * A section's name, where it would stand; null: it is much wider than the section, and says nothing yet.
 *
 * @param {CanvasRenderingContext2D} context @param {Section} section @param {Camera} camera
 */
function sectionLabel(context, section, camera) {
  const { box: { width: wide, height: high }, name, count: seats, labelAt } = section;
  const size = Math.min(12.5, Math.max(9, (Math.min(wide, high) * camera.scale) / 6));
  context.font = sectionFont(size);
  const { width } = context.measureText(name);
  if (width > Math.max(wide, high) * camera.scale * 1.15) return null;
  const { x, y } = toScreen(camera, labelAt);
  const box = { x: x - width / 2 - size * 0.6, y: y - size * 0.85, width: width + size * 1.2, height: size * 1.7 };
  return { name, seats, x, y, size, box };
}

/** @param {number} size */
const sectionFont = (size) => `650 ${size}px ${FONT}`;

/**
 * Each row's letter, one step beyond both of its ends; where an end is out of view, at the edge of the view.
 *
 * @param {CanvasRenderingContext2D} context @param {Plan} plan @param {Camera} camera @param {View} view
 * @param {Palette} palette @param {number} radius
 */
function drawRowLabels(context, plan, camera, view, palette, radius) {
  const seen = visibleBox(camera, view);
  const size = Math.min(13, Math.max(8, radius * 1.3));
  context.font = `600 ${size}px ${FONT}`;
  for (const { box, first, count, label } of plan.rows) {
    if (box.x > seen.x + seen.width || box.x + box.width < seen.x) continue;
    if (box.y > seen.y + seen.height || box.y + box.height < seen.y) continue;
    const last = first + count - 1;
    for (const [end, step, stop] of [[first, 1, last], [last, -1, first]]) {
      const place = labelPlace(plan, camera, view, end, step, stop);
      if (!place) continue;
      if (place.isInside) {
        context.fillStyle = palette.paper;
        context.globalAlpha = 0.9;
        context.beginPath();
        context.arc(place.x, place.y, size * 0.85, 0, 2 * Math.PI);
        context.fill();
        context.globalAlpha = 1;
      }
      context.fillStyle = palette.faint;
      context.fillText(label, place.x, place.y + 0.5);
    }
  }
}

/**
 * Where a row's letter stands for one of its ends: `isInside` when seats of the row go on beyond it, out of view.
 *
 * @param {Plan} plan @param {Camera} camera @param {View} view @param {number} end @param {number} step @param {number} stop
 * @returns {{x: number, y: number, isInside: boolean} | null}
 */
function labelPlace(plan, camera, view, end, step, stop) {
  const at = (/** @type {number} */ seat) => toScreen(camera, plan.pointOf(seat));
  const isSeen = (/** @type {{x: number, y: number}} */ { x, y }) => x > 8 && y > 8 && x < view.width - 8 && y < view.height - 8;
  const away = plan.seatRadius * camera.scale * 2.4;
  for (let seat = end; ; seat += step) {
    const here = at(seat);
    const next = at(seat === stop ? seat : seat + step);
    let [dx, dy] = [here.x - next.x, here.y - next.y];
    const length = Math.hypot(dx, dy);
    [dx, dy] = length > 0 ? [dx / length, dy / length] : [-step, 0];
    const isInside = seat !== end;
    const before = isInside ? at(seat - step) : here;
    const place = isInside
      ? { x: (here.x + before.x) / 2, y: (here.y + before.y) / 2, isInside }
      : { x: here.x + dx * away, y: here.y + dy * away, isInside };
    if (isSeen(place)) return place;
    // Only where seats are large enough to be read does the letter follow into the view.
    if (seat === stop || away < 2.4 * ROW_LABELS_FOLLOW_RADIUS_LEAST) return null;
  }
}

/** @param {CanvasRenderingContext2D} context @param {number[]} outline @param {string} text @param {Camera} camera
 * @param {string} color */
function drawAreaText(context, outline, text, camera, color) {
  const { x, y, width, height } = boxOfOutline(outline);
  const size = Math.min(height * 0.4, (width * 1.4) / text.length, 40) * camera.scale;
  drawText(context, text, (x + width / 2) * camera.scale + camera.x, (y + height / 2) * camera.scale + camera.y,
    Math.min(size, 28), color);
}

/** @param {CanvasRenderingContext2D} context @param {string} text @param {number} x @param {number} y
 * @param {number} size @param {string} color */
function drawText(context, text, x, y, size, color) {
  if (size < 5) return;
  context.font = `600 ${size}px ${FONT}`;
  context.fillStyle = color;
  context.fillText(text, x, y);
}

/** @param {CanvasRenderingContext2D} context @param {number[]} outline @param {Camera} camera @param {string} fill
 * @param {string} stroke @param {number} lineWidth @param {number} alpha of the fill */
function drawPolygon(context, outline, camera, fill, stroke, lineWidth, alpha) {
  if (outline.length < 6) return;
  context.beginPath();
  for (let k = 0; k < outline.length; k += 2) {
    const x = outline[k] * camera.scale + camera.x;
    const y = outline[k + 1] * camera.scale + camera.y;
    if (k === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  }
  context.closePath();
  context.fillStyle = fill;
  context.globalAlpha = alpha;
  context.fill();
  if (stroke) {
    context.globalAlpha = 0.55;
    context.strokeStyle = stroke;
    context.lineWidth = lineWidth;
    context.lineJoin = 'round';
    context.stroke();
  }
  context.globalAlpha = 1;
}
