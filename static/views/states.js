// @ts-check
/** What a page shows while it has nothing to show: waiting, trouble, nothing there. */

import { ApiError } from '../api.js';
import { fill, h, icon } from '../dom.js';
import { setTitle, focusHeading } from '../router.js';
import { T } from '../texts.js';

/** @returns {HTMLElement} */
export function waiting() {
  return h('div.waiting', { role: 'status' }, h('span.spinner', { 'aria-hidden': 'true' }), T.loading);
}

/**
 * @param {unknown} problem
 * @param {() => void} retry
 * @returns {HTMLElement}
 */
export function trouble(problem, retry) {
  return h('div.empty', { role: 'alert' }, icon('warning'),
    h('h2', null, T.error.title),
    h('p', null, sentenceOf(problem)),
    h('button.button', { type: 'button', onclick: retry }, T.retry));
}

/** @param {unknown} problem @returns {string} */
export function sentenceOf(problem) {
  if (!(problem instanceof ApiError)) return T.error.unknown;
  if (problem.status === 0) return T.error.unreachable;
  return T.refusals[problem.code] ?? T.error.unknown;
}

/** @param {HTMLElement} root @param {string} text */
export function nothingHere(root, text) {
  setTitle(T.error.notFoundTitle);
  fill(root, h('div.page.narrow', null, h('div.empty', null, icon('ticket'),
    h('h1', null, T.error.notFoundTitle),
    h('p', null, text),
    h('a.button', { href: '/' }, T.error.toEvents))));
  focusHeading();
}

/**
 * @param {string} status of an event or order
 * @param {string} text
 * @returns {HTMLElement}
 */
export function badge(status, text) {
  return h('span.badge', { 'data-status': status }, text);
}
