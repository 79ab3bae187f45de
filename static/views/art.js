// @ts-check
/** Pictures of events, drawn from their id: no two are the same, and each category has its own hand. */

import { svg } from '../dom.js';
import { randomFrom } from '../state/random.js';

const WIDTH = 480;
const HEIGHT = 270;

/** Dark, middle, light. */
const PALETTES = [
  ['#1b1035', '#6b2fb3', '#ff9e7a'],
  ['#06243a', '#0f6fa8', '#7fe3d4'],
  ['#2b0b1e', '#b3224f', '#ffc36b'],
  ['#0c2a1d', '#1f8a5b', '#e4f29b'],
  ['#1a1440', '#3d52d5', '#f4a3d8'],
  ['#33120a', '#c4501b', '#ffe08a'],
  ['#0d1b2e', '#35619e', '#f2e3c6'],
  ['#24102f', '#8a2f8f', '#8fd0ff'],
];

let made = 0;

/**
 * @param {{id: string, category: string}} event
 * @returns {SVGElement} a decoration, silent for screen readers
 */
export function eventArt(event) {
  // The colours follow from the id alone: an order, which knows no category, has those of its event.
  const [dark, middle, light] = PALETTES[Math.floor(randomFrom(event.id)() * PALETTES.length)];
  const random = randomFrom(event.id + event.category);
  const id = `art-${(made += 1)}`;
  const draw = HANDS[event.category] ?? HANDS['other'];
  return svg('svg', { class: 'art', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'xMidYMid slice', 'aria-hidden': 'true' },
    svg('defs', null,
      svg('linearGradient', { id: `${id}-sky`, x1: random() * 0.5, y1: 0, x2: 0.5 + random() * 0.5, y2: 1 },
        svg('stop', { offset: 0, 'stop-color': dark }),
        svg('stop', { offset: 0.62, 'stop-color': middle }),
        svg('stop', { offset: 1, 'stop-color': light })),
      svg('radialGradient', { id: `${id}-glow` },
        svg('stop', { offset: 0, 'stop-color': light, 'stop-opacity': 0.85 }),
        svg('stop', { offset: 1, 'stop-color': light, 'stop-opacity': 0 }))),
    svg('rect', { width: WIDTH, height: HEIGHT, fill: `url(#${id}-sky)` }),
    svg('circle', { cx: 80 + random() * 320, cy: 60 + random() * 120, r: 150 + random() * 60, fill: `url(#${id}-glow)` }),
    ...draw(random, dark, light));
}

/** @type {Record<string, (random: () => number, dark: string, light: string) => SVGElement[]>} */
const HANDS = {
  /** Beams from above over the heads of a crowd. */
  concert(random, dark, light) {
    const beams = Array.from({ length: 6 }, (_, k) => {
      const x = 40 + k * 80 + random() * 30;
      const to = x + (random() - 0.5) * 360;
      return svg('polygon', {
        points: `${x},-10 ${to - 40 - random() * 30},280 ${to + 40 + random() * 30},280`, fill: light, opacity: 0.07 + random() * 0.13,
      });
    });
    const heads = Array.from({ length: 34 }, (_, k) => {
      const y = 236 + random() * 24;
      const x = k * 15 - 8 + random() * 8;
      const r = 9 + random() * 6;
      return svg('g', { fill: dark },
        svg('circle', { cx: x, cy: y, r }),
        svg('path', { d: `M${x - r * 1.7} 290 Q${x - r * 1.6} ${y + r} ${x} ${y + r * 0.8} Q${x + r * 1.6} ${y + r} ${x + r * 1.7} 290z` }));
    });
    return [...beams, svg('rect', { y: 252, width: WIDTH, height: 20, fill: dark }), ...heads];
  },

  /** The lines of a court, seen from one side. */
  sports(random, dark, light) {
    const tilt = 200 + random() * 80;
    const line = { fill: 'none', stroke: light, 'stroke-width': 3, opacity: 0.7 };
    const rings = [34, 70, 110].map((r) => svg('ellipse', { ...line, cx: tilt, cy: 210, rx: r * 1.9, ry: r * 0.8 }));
    return [
      svg('polygon', { points: `-20,290 60,150 420,150 500,290`, fill: dark, opacity: 0.45 }),
      ...rings,
      svg('path', { ...line, d: `M60 150H420 M${tilt} 150V290` }),
      svg('circle', { cx: tilt + (random() - 0.5) * 200, cy: 70 + random() * 40, r: 26, fill: light, opacity: 0.9 }),
    ];
  },

  /** A curtain half drawn. */
  theater(random, dark, light) {
    const side = (/** @type {number} */ sign) => Array.from({ length: 6 }, (_, k) => {
      const x = sign < 0 ? k * 27 : WIDTH - k * 27;
      const foot = x + sign * -(10 + random() * 16 + k * 3);
      return svg('path', {
        d: `M${x - 16} -5 C${x - 10} 120 ${foot - 18} 160 ${foot - 16} 280 H${foot + 18} C${foot + 16} 160 ${x + 16} 120 ${x + 16} -5z`,
        fill: k % 2 ? dark : light, opacity: k % 2 ? 0.75 : 0.28,
      });
    });
    return [
      svg('ellipse', { cx: 240, cy: 246, rx: 150, ry: 22, fill: light, opacity: 0.4 }),
      svg('polygon', { points: '225,-10 255,-10 360,246 120,246', fill: light, opacity: 0.16 }),
      ...side(-1), ...side(1),
    ];
  },

  /** One light, one microphone. */
  comedy(random, dark, light) {
    const x = 180 + random() * 120;
    return [
      svg('polygon', { points: `${x - 12},-10 ${x + 12},-10 ${x + 120},250 ${x - 120},250`, fill: light, opacity: 0.22 }),
      svg('ellipse', { cx: x, cy: 250, rx: 122, ry: 18, fill: light, opacity: 0.5 }),
      svg('path', { d: `M${x} 250V130`, stroke: dark, 'stroke-width': 6 }),
      svg('ellipse', { cx: x, cy: 251, rx: 34, ry: 7, fill: dark }),
      svg('rect', { x: x - 13, y: 84, width: 26, height: 52, rx: 13, fill: dark }),
      svg('path', { d: `M${x - 13} 108h26`, stroke: light, 'stroke-width': 3, opacity: 0.7 }),
    ];
  },

  /** Paper shapes. */
  other(random, dark, light) {
    return Array.from({ length: 16 }, () => {
      const [x, y, r] = [random() * WIDTH, random() * HEIGHT, 12 + random() * 46];
      const look = { fill: random() < 0.5 ? dark : light, opacity: 0.14 + random() * 0.3 };
      return random() < 0.5
        ? svg('circle', { cx: x, cy: y, r, ...look })
        : svg('rect', { x: x - r, y: y - r, width: 2 * r, height: 2 * r, rx: 6, transform: `rotate(${random() * 90} ${x} ${y})`, ...look });
    });
  },
};
