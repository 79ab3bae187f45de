// @ts-check
/**
 * Fingers, mouse, wheel and keys on the map, told as what they mean.
 *
 * @typedef {import('../state/camera.js').Point} Point
 *
 * @typedef {object} Meanings
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, at: Point | null) => boolean} zoom about a point (null: the middle); false when it
 *   cannot go further: the page may scroll then
 * @property {(before: [Point, Point], after: [Point, Point]) => void} pinch
 * @property {(at: Point, isTouch: boolean) => void} tap
 * @property {(at: Point | null) => void} hover null when the pointer has left
 * @property {(dx: number, dy: number) => void} step an arrow key
 * @property {() => void} toggle Enter or Space
 * @property {() => void} whole 0
 */

const DRAG_MOUSE_PX = 4;
const DRAG_TOUCH_PX = 9;
const KEY_ZOOM = 1.4;
const KEY_PAN_PX = 80;

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Listen on an element until the signal is aborted.
 *
 * @param {HTMLElement} element
 * @param {Meanings} meanings
 * @param {AbortSignal} signal
 */
export function listenToGestures(element, meanings, signal) {
  listenToPointers(element, meanings, signal);
  element.addEventListener('wheel', (event) => onWheel(event, element, meanings), { signal, passive: false });
  element.addEventListener('keydown', (event) => onKey(event, element, meanings), { signal });
}

/** @param {HTMLElement} element @param {Meanings} meanings @param {AbortSignal} signal */
function listenToPointers(element, meanings, signal) {
  /** @type {Map<number, Point>} */
  const down = new Map();
  /** @type {Point | null} where the one pointer went down; null once it is a drag */
  let tapAt = null;

  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || event.target instanceof Element && event.target.closest('button')) return;
    down.set(event.pointerId, pointOf(event, element));
    tapAt = down.size === 1 ? pointOf(event, element) : null;
    element.setPointerCapture(event.pointerId);
  }, { signal });

  element.addEventListener('pointermove', (event) => {
    const point = pointOf(event, element);
    const before = down.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== 'touch') meanings.hover(point);
      return;
    }
    if (tapAt) {
      const limit = event.pointerType === 'mouse' ? DRAG_MOUSE_PX : DRAG_TOUCH_PX;
      if (Math.hypot(point.x - tapAt.x, point.y - tapAt.y) < limit) return;
      tapAt = null;
      element.classList.add('is-dragged');
      meanings.hover(null);
    }
    const points = [...down.entries()];
    down.set(event.pointerId, point);
    if (points.length === 1) meanings.pan(point.x - before.x, point.y - before.y);
    else {
      const pair = points.slice(0, 2);
      const then = /** @type {[Point, Point]} */ (pair.map(([, at]) => at));
      const now = /** @type {[Point, Point]} */ (pair.map(([id]) => down.get(id)));
      meanings.pinch(then, now);
    }
  }, { signal });

  const up = (/** @type {PointerEvent} */ event) => {
    if (!down.delete(event.pointerId)) return;
    if (down.size === 0) element.classList.remove('is-dragged');
    if (tapAt && event.type === 'pointerup') meanings.tap(pointOf(event, element), event.pointerType === 'touch');
    tapAt = null;
  };
  element.addEventListener('pointerup', up, { signal });
  element.addEventListener('pointercancel', up, { signal });
  element.addEventListener('pointerleave', (event) => {
    if (event.pointerType !== 'touch') meanings.hover(null);
  }, { signal });
}

/** @param {WheelEvent} event @param {HTMLElement} element @param {Meanings} meanings */
function onWheel(event, element, meanings) {
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
  // A pinch on a touchpad arrives as a wheel with the control key and small steps.
  const strength = event.ctrlKey ? 0.012 : 0.0018;
  const distance = Math.max(-240, Math.min(240, event.deltaY * lines));
  if (meanings.zoom(Math.exp(-distance * strength), pointOf(event, element)) || event.ctrlKey) event.preventDefault();
}

/** @param {KeyboardEvent} event @param {HTMLElement} element @param {Meanings} meanings */
function onKey(event, element, meanings) {
  if (event.target !== element || event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  if (arrow && event.shiftKey) meanings.pan(-arrow[0] * KEY_PAN_PX, -arrow[1] * KEY_PAN_PX);
  else if (arrow) meanings.step(...arrow);
  else if (event.key === 'Enter' || event.key === ' ') meanings.toggle();
  else if (event.key === '+' || event.key === '=') meanings.zoom(KEY_ZOOM, null);
  else if (event.key === '-' || event.key === '_') meanings.zoom(1 / KEY_ZOOM, null);
  else if (event.key === '0') meanings.whole();
  else return;
  event.preventDefault();
}

/** @param {MouseEvent} event @param {HTMLElement} element @returns {Point} */
function pointOf(event, element) {
  const box = element.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}
