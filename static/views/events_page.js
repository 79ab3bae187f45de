// @ts-check
/**
 * The list of events: search, filters and pages, all of them in the address.
 *
 * @typedef {import('../api.js').Event} Show
 * @typedef {import('../api.js').EventPage} EventPage
 * @typedef {import('../router.js').Visit} Visit
 */

import { say } from '../announcer.js';
import { api } from '../api.js';
import { fill, h, icon } from '../dom.js';
import { rename, setTitle, step } from '../router.js';
import { formatDayOfMonth, formatMoment, formatMonth, formatShort, formatWeekday } from '../state/times.js';
import { T } from '../texts.js';
import { eventArt } from './art.js';
import { badge, trouble } from './states.js';
import { placeOf } from './words.js';

const PAGE_SIZE = 12;
const TYPING_PAUSE_MS = 250;
const FEW_SEATS = 0.1;
const CATEGORIES = ['concert', 'sports', 'theater', 'comedy', 'other'];
const STATUSES = ['on_sale', 'upcoming', 'sold_out'];

/** @param {Visit} visit */
export function eventsPage({ root, query, signal }) {
  setTitle(T.events.title);
  const asked = { search: query.get('search') ?? '', category: query.get('category') ?? '', status: query.get('status') ?? '', city: query.get('city') ?? '', from: dayOf(query.get('from')), to: dayOf(query.get('to')), page: Math.max(1, Math.trunc(Number(query.get('page'))) || 1) };
  const results = h('div.results');
  const chips = h('div.chips', { role: 'group', 'aria-label': T.events.category });
  const search = h('input', { type: 'search', name: 'search', value: asked.search, placeholder: T.events.search, 'aria-label': T.events.searchLabel, autocomplete: 'off' });
  const status = h('select', { name: 'status', 'aria-label': T.events.status },
    h('option', { value: '' }, T.events.anyStatus),
    STATUSES.map((value) => h('option', { value, selected: value === asked.status }, T.statuses[value])));

  const city = h('select', { name: 'city', 'aria-label': T.events.city }, h('option', { value: '' }, T.events.anyCity));
  const day = (/** @type {'from' | 'to'} */ name) =>
    h('input', { type: 'date', name, value: asked[name], onchange: (/** @type {Event} */ event) => ask({ [name]: /** @type {any} */ (event.target).value }) });
  const [from, to] = [day('from'), day('to')];
  const offerCities = (/** @type {string[]} */ cities) => city.append(
    ...[...new Set([...cities, asked.city].filter(Boolean))].map((value) => h('option', { value, selected: value === asked.city }, value)));
  // Without an answer the choice offers what the address names.
  api.cities().then(offerCities, () => offerCities([]));

  /** @type {AbortController | null} */
  let under = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;

  const drawChips = () => fill(chips, ['', ...CATEGORIES].map((value) =>
    h('button.chip', { type: 'button', 'aria-pressed': String(value === asked.category), 'data-category': value,
      onclick: () => ask({ category: value }) }, value ? T.categories[value] : T.events.allCategories)));

  /** @param {Partial<typeof asked>} change @param {(path: string) => void} [remember] */
  const ask = (change, remember = step) => {
    Object.assign(asked, { page: 1 }, change);
    for (const chip of chips.children) chip.setAttribute('aria-pressed', String(chip.getAttribute('data-category') === asked.category));
    const params = paramsOf(asked);
    remember(params.size > 0 ? `/?${params}` : '/');
    load();
  };

  const load = async () => {
    under?.abort();
    const mine = (under = new AbortController());
    if (!results.querySelector('.cards')) fill(results, skeletons());
    results.setAttribute('aria-busy', 'true');
    const params = paramsOf(asked);
    for (const [name, clock] of [['from', 'T00:00'], ['to', 'T23:59:59.999']]) {
      const value = params.get(name);
      if (value) params.set(name, new Date(value + clock).toISOString());
    }
    params.set('page', String(asked.page));
    params.set('limit', String(PAGE_SIZE));
    try {
      const page = await api.events(params, AbortSignal.any([mine.signal, signal]));
      const clear = () => {
        search.value = status.value = city.value = from.value = to.value = '';
        ask({ search: '', category: '', status: '', city: '', from: '', to: '' });
      };
      fill(results, resultsOf(page, clear, (number) => {
        ask({ page: number });
        scrollTo({ top: 0 });
      }));
      say(T.events.count(page.total));
    } catch (problem) {
      if (mine.signal.aborted || signal.aborted) return;
      fill(results, trouble(problem, load));
    }
    results.removeAttribute('aria-busy');
  };

  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => !signal.aborted && ask({ search: search.value.trim() }, rename), TYPING_PAUSE_MS);
  });
  city.addEventListener('change', () => ask({ city: city.value }));
  status.addEventListener('change', () => ask({ status: status.value }));
  const onSubmit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    clearTimeout(typing);
    ask({ search: search.value.trim() });
  };

  drawChips();
  fill(root, h('div.page', null,
    h('div.intro', null, h('h1', null, T.events.title), h('p.lead', null, T.events.lead)),
    h('form.filters', { role: 'search', onsubmit: onSubmit },
      h('div.field-search', null, icon('search'), search), status, city,
      h('div.days', null, h('label', null, T.events.from, from), h('label', null, T.events.to, to)), chips),
    results));
  load();
}

/** @param {string | null} text @returns {string} "2031-05-01", or nothing for what is no day */
function dayOf(text) {
  return text && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : '';
}

/**
 * @param {{search: string, category: string, status: string, city: string, from: string, to: string, page: number}} asked
 * @returns {URLSearchParams}
 */
function paramsOf({ search, category, status, city, from, to, page }) {
  const params = new URLSearchParams();
  if (search) params.set('search', search);
  if (category) params.set('category', category);
  if (status) params.set('status', status);
  if (city) params.set('city', city);
  if (from) params.set('from', from);
  if (to) params.set('to', to);
  if (page > 1) params.set('page', String(page));
  return params;
}

/** @param {EventPage} page @param {() => void} clear @param {(page: number) => void} goTo @returns {HTMLElement[]} */
function resultsOf(page, clear, goTo) {
  if (page.data.length === 0) {
    return [h('div.empty', null, icon('search'), h('h2', null, T.events.empty), h('p', null, T.events.emptyHint),
      h('button.button', { type: 'button', onclick: clear }, T.events.clear))];
  }
  const cards = h('ul.cards', { role: 'list' }, page.data.map((event) => h('li', null, card(event))));
  return page.totalPages > 1 ? [cards, pager(page, goTo)] : [cards];
}

/** @param {Show} event @returns {HTMLElement} */
function card(event) {
  const when = new Date(event.event_date);
  const zone = event.venue.timezone;
  return h('a.card', { href: `/events/${event.id}`, 'data-event': event.id },
    h('div.card-picture', null, eventArt(event),
      h('div.leaf', { 'aria-hidden': 'true' }, h('span', null, formatMonth(when, zone)), h('b', null, formatDayOfMonth(when, zone)), h('span', null, formatWeekday(when, zone)))),
    h('div.card-body', null,
      h('div.card-top', null, badge(event.status, statusText(event)), h('span.kind', null, T.kinds[event.category] ?? event.category)),
      h('h2', null, event.name),
      h('p.card-line', null, icon('calendar'), formatMoment(when, zone)),
      h('p.card-line', null, icon('place'), placeOf(event.venue)),
      seatsLeft(event)));
}

/** @param {Show} event @returns {string} */
function statusText(event) {
  if (event.status !== 'upcoming') return T.statuses[event.status] ?? event.status;
  return T.saleStarts(formatShort(event.on_sale_date));
}

/** @param {Show} event @returns {HTMLElement | null} */
function seatsLeft(event) {
  if (event.status !== 'on_sale') return null;
  const share = event.available_seats / Math.max(1, event.total_capacity);
  const isFew = share < FEW_SEATS;
  const text = isFew ? T.events.fewLeft(event.available_seats) : T.events.left(event.available_seats);
  return h('div.left', { class: isFew ? 'left is-few' : 'left' },
    h('meter', { min: 0, max: 1, low: FEW_SEATS, value: share, 'aria-hidden': 'true' }), h('span', null, text));
}

/** @param {EventPage} page @param {(page: number) => void} goTo @returns {HTMLElement} */
function pager({ page, totalPages }, goTo) {
  const button = (/** @type {number} */ to, /** @type {string} */ label, /** @type {string} */ className) =>
    h('button.button.quiet', { type: 'button', class: `button quiet ${className}`, disabled: to < 1 || to > totalPages, 'aria-label': label, onclick: () => goTo(to) }, icon('chevron'));
  return h('nav.pager', { 'aria-label': T.events.pages }, button(page - 1, T.events.previous, 'is-back'),
    h('span', null, T.events.page(page, totalPages)), button(page + 1, T.events.next, ''));
}

/** @returns {HTMLElement} */
function skeletons() {
  return h('div.cards.skeletons', { role: 'status', 'aria-label': T.loading },
    Array.from({ length: 6 }, () => h('div.card.skeleton', { 'aria-hidden': 'true' }, h('div.card-picture'), h('div.card-body', null, h('i'), h('i'), h('i')))));
}
