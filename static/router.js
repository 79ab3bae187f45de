// @ts-check
/**
 * Which page an address means, without loading anew.
 *
 * A page is a function that fills an element and answers how to leave it. After every change of page the new heading
 * gets the focus, so that the keyboard and the screen reader start where the eye does.
 *
 * @typedef {{root: HTMLElement, params: Record<string, string>, query: URLSearchParams, signal: AbortSignal}} Visit
 * `signal` is aborted when the page is left.
 * @typedef {(visit: Visit) => void} Page
 */

import { T } from './texts.js';

/** @type {{pattern: RegExp, names: string[], page: Page}[]} */
const routes = [];
/** @type {Page} */
let notFound = () => {};
/** @type {AbortController | null} */
let current = null;
/** @type {HTMLElement} */
let root;
/** @type {(path: string) => void} */
let onChange = () => {};

/** @param {string} path with names: `/events/:id` @param {Page} page */
export function route(path, page) {
  const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1]);
  routes.push({ pattern: new RegExp(`^${path.replace(/:\w+/g, '([^/]+)')}/?$`), names, page });
}

/** @param {HTMLElement} element @param {Page} otherwise @param {(path: string) => void} listener */
export function startRouter(element, otherwise, listener) {
  root = element;
  notFound = otherwise;
  onChange = listener;
  addEventListener('popstate', () => show(false));
  document.addEventListener('click', onClick);
  show(true);
}

/**
 * Go to an address of this application.
 *
 * @param {string} path
 * @param {{replace?: boolean}} [options]
 */
export function go(path, { replace = false } = {}) {
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
  scrollTo(0, 0);
  show(false);
}

/** Change the address of the page that is shown, without leaving it. @param {string} path */
export function rename(path) {
  history.replaceState(history.state, '', path);
}

/** Leave a step for the browser's "back" as well, which shows the page anew as it was. @param {string} path */
export function step(path) {
  if (path !== location.pathname + location.search) history.pushState(null, '', path);
}

/** @param {string} title of the page */
export function setTitle(title) {
  document.title = title === T.appName ? title : `${title} · ${T.appName}`;
}

/** Move the focus to the page's heading, unless the visitor is somewhere in the page already. */
export function focusHeading() {
  if (root.contains(document.activeElement)) return;
  const heading = root.querySelector('h1');
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/** @param {boolean} isFirst the browser has set the focus itself */
function show(isFirst) {
  current?.abort();
  current = new AbortController();
  const { signal } = current;
  root.replaceChildren();
  const { page, params } = match(location.pathname);
  onChange(location.pathname);
  page({ root, params, query: new URLSearchParams(location.search), signal });
  if (!isFirst) focusHeading();
}

/** @param {string} path @returns {{page: Page, params: Record<string, string>}} */
function match(path) {
  for (const { pattern, names, page } of routes) {
    const found = pattern.exec(path);
    if (found) return { page, params: Object.fromEntries(names.map((name, k) => [name, decode(found[k + 1])])) };
  }
  return { page: notFound, params: {} };
}

/** @param {string} part @returns {string} */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** @param {MouseEvent} event */
function onClick(event) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link || link.target || link.origin !== location.origin || link.hasAttribute('download')) return;
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  go(link.pathname + link.search);
}
