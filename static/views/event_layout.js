// @ts-check
/**
 * The places of the event page: list, map, basket, and the line above them.
 *
 * @typedef {import('../api.js').Event} Event
 * @typedef {import('../map/seat_map.js').SeatMap} SeatMap
 * @typedef {import('../state/sale.js').Sale} Sale
 *
 * @typedef {object} Layout
 * @property {HTMLElement} root
 * @property {HTMLElement} list
 * @property {HTMLElement} mapFrame
 * @property {HTMLElement} mapNotice
 * @property {HTMLElement} miniMap
 * @property {HTMLElement} finder
 * @property {HTMLElement} legend
 * @property {HTMLElement} basket
 * @property {HTMLElement} chip
 * @property {(map: SeatMap, hasAccessible: boolean) => void} onRoom
 * @property {(status: string) => void} onStatus
 * @property {(available: number) => void} onAvailable
 * @property {(sale: Sale) => void} onBasket
 * @property {() => void} onGone
 */

import { fill, h, icon } from '../dom.js';
import { formatMoment } from '../state/times.js';
import { T } from '../texts.js';
import { eventArt } from './art.js';
import { marksLegend } from './legend.js';
import { badge, waiting } from './states.js';
import { placeOf } from './words.js';

/** @param {HTMLElement} root @param {Event} event @param {() => void} onGone @returns {Layout} */
export function eventLayout(root, event, onGone) {
  const chip = h('div.head-chip');
  const status = h('span', null, badge(event.status, T.statuses[event.status] ?? event.status));
  const available = h('span.head-count', { 'data-available': '' });
  const list = h('div.list-body', null, waiting());
  const legend = h('div.legend', { role: 'group', 'aria-label': T.legend.label });
  const mapNotice = h('div.map-notice', null, waiting());
  const mapFrame = h('div.map', { tabindex: 0, role: 'application', 'aria-label': T.map.label, 'aria-roledescription': T.map.role, 'aria-describedby': 'map-help' });
  const miniMap = h('div.mini-map', { hidden: true, 'aria-hidden': 'true' });
  const finder = h('div.finder-place');
  const zoom = h('div.zoom', { role: 'group', 'aria-label': T.map.label });
  const basket = h('aside.basket', { 'aria-label': T.basket.title, 'data-stage': 'empty' });
  const marks = marksLegend();

  fill(root, h('div.event', { 'data-event': event.id },
    h('header.event-head', null,
      h('div.head-art', null, eventArt(event)),
      h('div.head-text', null,
        h('h1', null, event.name),
        h('p.head-meta', { title: T.event.doors },
          h('span', null, icon('calendar'), formatMoment(event.event_date)),
          h('span', null, icon('place'), placeOf(event.venue)))),
      h('div.head-side', null, status, available, chip)),
    h('section.list', { 'aria-labelledby': 'list-title' },
      h('div.list-head', null, h('h2', { id: 'list-title' }, T.list.title), h('p', null, T.list.lead)), list),
    h('section.room', { 'aria-label': T.map.label },
      finder, legend,
      h('div.map-box', null, mapFrame, mapNotice, miniMap, zoom, h('p.unseen', { id: 'map-help' }, T.map.help)),
      marks),
    basket));

  return {
    root, list, mapFrame, mapNotice, miniMap, finder, legend, basket, chip, onGone,
    onRoom: (map, hasAccessible) => {
      marks.classList.toggle('has-accessible', hasAccessible);
      fill(zoom,
        zoomButton('plus', T.map.zoomIn, () => map.zoomBy(1.7)),
        zoomButton('minus', T.map.zoomOut, () => map.zoomBy(1 / 1.7)),
        zoomButton('whole', T.map.whole, () => map.showWhole()));
    },
    onStatus: (now) => fill(status, badge(now, T.statuses[now] ?? now)),
    onAvailable: (count) => {
      available.textContent = T.event.available(count);
      available.dataset['available'] = String(count);
    },
    onBasket: (sale) => {
      root.dataset['held'] = String(sale.hold.seats.length);
      root.dataset['chosen'] = String(sale.selected.length);
    },
  };
}

/** @param {'plus' | 'minus' | 'whole'} name @param {string} label @param {() => void} onclick */
function zoomButton(name, label, onclick) {
  return h('button.icon-button', { type: 'button', 'aria-label': label, title: label, 'data-zoom': name, onclick }, icon(name));
}
