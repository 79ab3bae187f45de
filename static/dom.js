// @ts-check
/**
 * Elements made in one expression, without markup strings: `h('button.quiet', { onclick }, 'Close')`.
 *
 * @typedef {Node | string | number | null | undefined | false} Child
 * @typedef {Record<string, unknown>} Attributes
 */
/**
 * @template {string} Kind
 * @typedef {Kind extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Kind]
 *   : Kind extends `${infer Tag extends keyof HTMLElementTagNameMap}.${string}` ? HTMLElementTagNameMap[Tag]
 *   : HTMLElement} ElementOf
 */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An element. Attributes: `on…` are listeners, true is an empty attribute, false and null are left out.
 *
 * @template {string} Kind
 * @param {Kind} kind a tag with classes: `div.card.wide`
 * @param {Attributes | null} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {ElementOf<Kind>}
 */
export function h(kind, attributes = null, ...children) {
  const [tag, ...classes] = kind.split('.');
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(' ');
  setAttributes(element, attributes);
  element.append(...nodesOf(children));
  return /** @type {ElementOf<Kind>} */ (element);
}

/**
 * @param {string} tag
 * @param {Attributes | null} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = null, ...children) {
  const element = document.createElementNS(SVG, tag);
  setAttributes(element, attributes);
  element.append(...nodesOf(children));
  return /** @type {SVGElement} */ (element);
}

/**
 * Put these children, and no others, into an element.
 *
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodesOf(children));
}

/**
 * A line icon from the path data of a 24 × 24 picture.
 *
 * @param {keyof typeof ICONS} name
 * @returns {SVGElement}
 */
export function icon(name) {
  return svg('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' },
    ICONS[name].map((d) => svg('path', { d })));
}

const ICONS = {
  plus: ['M12 5v14', 'M5 12h14'],
  minus: ['M5 12h14'],
  whole: ['M4 9V4h5', 'M20 9V4h-5', 'M4 15v5h5', 'M20 15v5h-5'],
  close: ['M6 6l12 12', 'M18 6L6 18'],
  chevron: ['M9 6l6 6-6 6'],
  search: ['M11 4a7 7 0 1 0 0 14a7 7 0 0 0 0-14', 'M16.2 16.2L21 21'],
  calendar: ['M4 7a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2z', 'M4 10h16', 'M8 3v4', 'M16 3v4'],
  place: ['M12 21s7-6.2 7-11.5a7 7 0 1 0-14 0C5 14.8 12 21 12 21z', 'M12 12a2.5 2.5 0 1 0 0-5a2.5 2.5 0 0 0 0 5'],
  ticket: ['M4 8a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v2a2 2 0 0 0 0 4v2a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-2a2 2 0 0 0 0-4z', 'M14 7v10'],
  check: ['M5 12.500l4.5 4.500L19 7.5'],
  warning: ['M12 4L2.8 20h18.400z', 'M12 10v4.5', 'M12 17.400v.1'],
  clock: ['M12 4a8 8 0 1 0 0 16a8 8 0 0 0 0-16', 'M12 8v4.500l3 2'],
  wishes: ['M4 7h10', 'M18 7h2', 'M16 5v4', 'M4 17h2', 'M10 17h10', 'M8 15v4'],
  best: ['M12 3.500l2.6 5.500l6 .8l-4.400 4.200l1.100 6l-5.300-2.900l-5.300 2.900l1.100-6l-4.400-4.200l6-.8z'],
  arrow: ['M5 12h14', 'M13 6l6 6-6 6'],
};

/** @param {Element} element @param {Attributes | null} attributes */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

/** @param {(Child | Child[])[]} children @returns {(Node | string)[]} */
function nodesOf(children) {
  return children.flat().filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}
