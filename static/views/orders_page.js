// @ts-check
/**
 * What the customer has bought: all orders, and one of them with its tickets.
 *
 * @typedef {import('../api.js').OrderInfo} OrderInfo
 * @typedef {import('../api.js').OrderDetail} OrderDetail
 * @typedef {import('../api.js').Code} Code
 * @typedef {import('../api.js').Ticket} Ticket
 * @typedef {import('../router.js').Visit} Visit
 */

import { note } from '../announcer.js';
import { ApiError, api } from '../api.js';
import { fill, h, icon } from '../dom.js';
import { focusHeading, go, rename, setTitle } from '../router.js';
import { session } from '../session.js';
import { centsOf, formatCents } from '../state/money.js';
import { formatMoment } from '../state/times.js';
import { T } from '../texts.js';
import { eventArt } from './art.js';
import { ask } from './dialogs.js';
import { signInPath } from './sign_page.js';
import { badge, nothingHere, sentenceOf, trouble, waiting } from './states.js';

/** @param {Visit} visit */
export async function ordersPage(visit) {
  const { root, signal } = visit;
  setTitle(T.orders.title);
  const body = h('div', null, waiting());
  fill(root, h('div.page.medium', null, h('h1', null, T.orders.title), body));
  const orders = await fetched(api.orders, body, visit, ordersPage);
  if (!orders || signal.aborted) return;
  fill(body, orders.length === 0
    ? h('div.empty', null, icon('ticket'), h('h2', null, T.orders.empty), h('p', null, T.orders.emptyHint), h('a.button.primary', { href: '/' }, T.error.toEvents))
    : h('ul.orders', { role: 'list' }, orders.map((order) => h('li', null, orderLine(order)))));
}

/** @param {Visit} visit */
export async function orderPage(visit) {
  const { root, params, query, signal } = visit;
  setTitle(T.order.tickets);
  const body = h('div.page.medium', null, waiting());
  fill(root, body);
  const detail = await fetched(() => api.order(params['id']), body, visit, orderPage);
  if (!detail || signal.aborted) return;
  const isNew = query.has('new');
  if (isNew) rename(location.pathname);
  setTitle(detail.order.event_name);
  showOrder(body, detail, isNew, visit);
  focusHeading();
}

/** @param {OrderInfo} order @returns {HTMLElement} */
function orderLine(order) {
  return h('a.order-line', { href: `/orders/${order.id}`, 'data-order': order.id },
    h('div.order-art', null, eventArt({ id: order.event_id, category: 'other' })),
    h('div', null,
      h('h2', null, order.event_name),
      h('p', null, `${formatMoment(order.event_date, order.venue_timezone)} · ${order.venue_name}`),
      h('p.hint', null, `${T.orders.number(order.id)} · ${T.orders.ordered(formatMoment(order.created_at))}`)),
    h('div.order-side', null, h('b', null, formatCents(centsOf(order.total_amount), order.currency)), badge(order.status, T.orders.statuses[order.status] ?? order.status)));
}

/** @param {HTMLElement} body @param {OrderDetail} detail @param {boolean} isNew @param {Visit} visit */
function showOrder(body, detail, isNew, visit) {
  const { order, seats, tickets, calendar } = detail;
  const isValid = order.status === 'completed';
  const place = [order.venue_name, order.venue_address, order.venue_city].filter(Boolean).join(', ');
  const money = (/** @type {number} */ amount) => formatCents(centsOf(amount), order.currency);
  const cancel = h('button.button.quiet', { type: 'button', 'data-cancel': true }, T.order.cancel);
  const problem = h('p.problem', { role: 'alert', hidden: true });
  cancel.addEventListener('click', () => cancelOrder(cancel, problem, body, detail, visit));
  fill(body,
    isNew && isValid ? h('div.thanks', null, icon('check'), h('div', null, h('b', null, T.order.thanksTitle), h('span', null, T.order.thanks))) : null,
    order.status === 'cancelled' ? h('div.thanks.is-void', null, icon('warning'), h('span', null, T.order.cancelledText)) : null,
    h('div.order-head', null,
      h('div', null,
        h('h1', null, order.event_name),
        h('p.card-line', null, icon('calendar'), formatMoment(order.event_date, order.venue_timezone)),
        h('p.card-line', null, icon('place'), place)),
      badge(order.status, T.orders.statuses[order.status] ?? order.status)),
    h('ol.tickets', { role: 'list', 'data-status': order.status, 'aria-label': T.order.tickets }, seats.map((seat, k) => h('li', null, ticket(order, seat, money, isValid ? tickets[k] : undefined)))),
    h('div.order-total', null, h('span', null, `${T.order.total} · ${T.tickets(seats.length)}`), h('b', null, money(order.total_amount))),
    h('p.hint', null, `${T.orders.number(order.id)} · ${T.orders.ordered(formatMoment(order.created_at))}`),
    problem,
    h('div.order-buttons', null,
      h('a.button.quiet', { href: '/orders' }, T.order.all),
      h('a.button.quiet', { href: `/events/${order.event_id}` }, T.order.toEvent),
      isValid ? h('button.button.quiet', { type: 'button', onclick: () => print() }, T.order.print) : null,
      isValid ? h('a.button.quiet', { href: asData('text/calendar', calendar), download: `usher-${order.id.slice(0, 8)}.ics` }, icon('calendar'), T.order.calendar) : null,
      isValid ? cancel : null));
}

/**
 * All of a ticket came with the order: once it is shown, it needs no connection.
 *
 * @param {OrderInfo} order
 * @param {Ticket} seat
 * @param {(amount: number) => string} money
 * @param {Code} [code] of a valid ticket
 * @returns {HTMLElement}
 */
function ticket(order, seat, money, code) {
  const part = (/** @type {string} */ label, /** @type {string} */ value) => h('div', null, h('dt', null, label), h('dd', null, value));
  return h('article.ticket', { 'data-ticket': `${seat.section}/${seat.row}/${seat.seat_number}` },
    h('div.ticket-art', null, eventArt({ id: order.event_id, category: 'other' })),
    h('div.ticket-body', null, h('b', null, order.event_name), h('span', null, `${formatMoment(order.event_date, order.venue_timezone)} · ${order.venue_name}`),
      h('dl', null, part(T.order.section, seat.section), part(T.order.row, seat.row), part(T.order.seat, seat.seat_number))),
    h('div.ticket-stub', null,
      code ? h('img.ticket-code', { src: asData('image/svg+xml', code.qr_svg), alt: T.order.code(`${seat.row} ${seat.seat_number}`), width: 168, height: 168 }) : null,
      h('span', null, T.order.price), h('b', null, money(seat.price))));
}

/** @param {string} type @param {string} text @returns {string} an address that holds it */
function asData(type, text) {
  return `data:${type};charset=utf-8,${encodeURIComponent(text)}`;
}

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} problem
 * @param {HTMLElement} body
 * @param {OrderDetail} detail
 * @param {Visit} visit
 */
async function cancelOrder(button, problem, body, detail, visit) {
  const words = { title: T.order.cancelTitle, text: T.order.cancelText, yes: T.order.cancelYes, no: T.order.cancelNo, isDanger: true };
  if (!(await ask(words, visit.signal))) return;
  button.disabled = true;
  button.textContent = T.order.cancelling;
  problem.hidden = true;
  try {
    await api.cancelOrder(detail.order.id);
    const now = await api.order(detail.order.id).catch(() => ({ ...detail, order: { ...detail.order, status: 'cancelled' }, tickets: [] }));
    if (visit.signal.aborted) return;
    note(T.order.cancelled, 'good');
    showOrder(body, now.seats.length > 0 ? now : { ...now, seats: detail.seats, tickets: [] }, false, visit);
    focusHeading();
  } catch (refusal) {
    if (visit.signal.aborted) return;
    problem.hidden = false;
    problem.textContent = sentenceOf(refusal);
    button.disabled = false;
    button.textContent = T.order.cancel;
  }
}

/**
 * What the server has, or null after showing why there is nothing.
 *
 * @template Answer
 * @param {() => Promise<Answer>} fetchIt
 * @param {HTMLElement} body
 * @param {Visit} visit
 * @param {(visit: Visit) => void} again
 * @returns {Promise<Answer | null>}
 */
async function fetched(fetchIt, body, visit, again) {
  try {
    return await fetchIt();
  } catch (problem) {
    if (visit.signal.aborted) return null;
    if (problem instanceof ApiError && problem.status === 401) {
      session.forget();
      go(signInPath(), { replace: true });
    } else if (problem instanceof ApiError && problem.status === 404) nothingHere(visit.root, T.error.noOrder);
    else fill(body, trouble(problem, () => again(visit)));
    return null;
  }
}
