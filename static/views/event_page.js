// @ts-check
/**
 * One event: its seats, live, and the way to buy them.
 *
 * @typedef {import('../router.js').Visit} Visit
 */

import { ApiError, api } from '../api.js';
import { fill, h } from '../dom.js';
import { focusHeading, setTitle } from '../router.js';
import { T } from '../texts.js';
import { eventLayout } from './event_layout.js';
import { SaleDesk } from './sale_desk.js';
import { nothingHere, trouble, waiting } from './states.js';

/** @param {Visit} visit */
export async function eventPage(visit) {
  const { root, params, signal } = visit;
  setTitle(T.appName);
  fill(root, h('div.page', null, waiting()));
  try {
    const event = await api.event(params['id']);
    if (signal.aborted) return;
    setTitle(event.name);
    const life = new AbortController();
    signal.addEventListener('abort', () => life.abort());
    const layout = eventLayout(root, event, () => {
      life.abort();
      nothingHere(root, T.error.noEvent);
    });
    focusHeading();
    new SaleDesk(event, layout, life.signal).start();
  } catch (problem) {
    if (signal.aborted) return;
    if (problem instanceof ApiError && problem.status === 404) nothingHere(root, T.error.noEvent);
    else fill(root, h('div.page', null, trouble(problem, () => void eventPage(visit))));
  }
}
