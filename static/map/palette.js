// @ts-check
/**
 * The map's colours, as the style sheet gives them: light or dark, one place for both.
 *
 * @typedef {{available: string, held: string, sold: string, blocked: string, mine: string, onMine: string,
 *   paper: string, ink: string, faint: string, line: string, stage: string, onStage: string, ring: string,
 *   tiers: string[]}} Palette
 */

export const TIERS = 6;

/**
 * @param {Element} element inside of the page
 * @returns {Palette}
 */
export function readPalette(element) {
  const style = getComputedStyle(element);
  const read = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  return {
    available: read('seat-available'),
    held: read('seat-held'),
    sold: read('seat-sold'),
    blocked: read('seat-blocked'),
    mine: read('seat-mine'),
    onMine: read('on-seat-mine'),
    paper: read('map-paper'),
    ink: read('ink'),
    faint: read('ink-soft'),
    line: read('map-line'),
    stage: read('map-stage'),
    onStage: read('on-map-stage'),
    ring: read('focus'),
    tiers: Array.from({ length: TIERS }, (_, k) => read(`tier-${k}`)),
  };
}
