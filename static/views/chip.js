// @ts-check
/** Whether what one sees is what is: live, reconnecting, offline, and for how long. */

import { h } from '../dom.js';
import { T } from '../texts.js';

/** Without a connection for this long, it is called offline. */
const OFFLINE_AFTER_MS = 15_000;

/**
 * @param {import('../socket.js').EventSocket} socket
 * @param {AbortSignal} signal
 * @returns {{element: HTMLElement, update: () => void}}
 */
export function connectionChip(socket, signal) {
  const label = h('b');
  const detail = h('span');
  const retry = h('button.link', { type: 'button', hidden: true, onclick: () => socket.wake() }, T.connection.retry);
  const element = h('div.connection', null, h('i', { 'aria-hidden': 'true' }), label, detail, retry);
  let lostAt = 0;

  const update = () => {
    const { status, heardAt } = socket;
    if (status === 'live') lostAt = 0;
    else lostAt ||= Date.now();
    const isLost = status === 'reconnecting' && (!navigator.onLine || Date.now() - lostAt > OFFLINE_AFTER_MS);
    const shown = status === 'live' || status === 'connecting' || status === 'reconnecting' ? status : 'offline';
    const name = isLost ? 'offline' : shown;
    element.dataset['connection'] = name;
    label.textContent = T.connection[name];
    detail.textContent = name === 'live' || heardAt === 0 ? '' : T.connection.lastUpdate(Math.round((Date.now() - heardAt) / 1000));
    retry.hidden = status !== 'reconnecting';
    element.title = name === 'live' ? T.connection.liveHint : T.connection.lostHint;
  };
  const timer = setInterval(update, 1_000);
  signal.addEventListener('abort', () => clearInterval(timer));
  update();
  return { element, update };
}
