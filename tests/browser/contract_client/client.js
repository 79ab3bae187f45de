// A shop that somebody wrote against the contract: it browses, signs in, buys, cancels, and signs out.

import { get, keepSession, post, refused } from './api.js';
import {
  Event, HeldSeat, ListedOrder, Order, OrderDetails, OrderItem, PlaceInLine, Section, SectionCounts, ShownSeat, ShownSection,
  User, Venue, amount, count, listOf, shape, text, time,
} from './shapes.js';

const UNKNOWN = '00000000-0000-4000-8000-000000000000';
const account = { email: `shop-${crypto.randomUUID()}@example.org`, password: 'a quiet harbour at dawn', name: 'Grace' };
const seen = {};

const steps = {
  async browse() {
    const page = await get('/events?status=on_sale&page=1&limit=100');
    check(page.data, listOf(Event), 'events');
    check(page, shape({ total: count, page: count, limit: count, totalPages: count }), 'page');
    seen.event = page.data.find((event) => !event.waiting_room_enabled);
    same((await get(`/events/${seen.event.id}`)).data.name, seen.event.name);
    check((await get('/venues')).data, listOf(Venue), 'venues');
    check((await get(`/venues/${seen.event.venue_id}`)).data, Venue, 'venue');
    check((await get(`/venues/${seen.event.venue_id}/sections`)).data, listOf(Section), 'sections');
    await refused(404, 'Event not found', get(`/events/${UNKNOWN}`));
    await refused(400, '', get('/events?page=0'));
  },

  async look() {
    const { id } = seen.event;
    const sections = (await get(`/seats/${id}/availability`)).data;
    check(sections, listOf(ShownSection), 'availability');
    check((await get(`/seats/${id}/availability?summary=true`)).data, listOf(SectionCounts), 'summary');
    const name = sections.at(-1).section;
    const seats = (await get(`/seats/${id}/sections/${encodeURIComponent(name)}`)).data;
    check(seats, listOf(ShownSeat), 'seats');
    seen.section = name;
    seen.seats = seats.filter((seat) => seat.status === 'available').slice(-2).map((seat) => seat.id);
  },

  async register() {
    await refused(401, 'Authentication required', get('/auth/me'));
    await refused(400, '', post('/auth/register', { ...account, password: 'short' }));
    const made = await post('/auth/register', account);
    same(made.status, 201);
    check(made.data, User, 'user');
    await refused(400, 'User already exists', post('/auth/register', account));
    await refused(401, 'Authentication required', get('/auth/me'));
  },

  async login() {
    const { email, password } = account;
    await refused(401, 'Invalid credentials', post('/auth/login', { email, password: 'not this one at all' }));
    const { data } = await post('/auth/login', { email, password });
    check(data, shape({ user: User, sessionId: text, expiresAt: time }), 'login');
    keepSession(data.sessionId);
    same((await get('/auth/me')).data.email, email);
    check((await post('/auth/ws-ticket')).data, shape({ ticket: text, expires_at: time }), 'ticket');
  },

  async queue() {
    const path = `/queue/${seen.event.id}`;
    const joined = (await post(`${path}/join`)).data;
    check(joined, PlaceInLine, 'place');
    same(joined.status, 'active');
    check((await get(`${path}/status`)).data, PlaceInLine, 'place');
    check((await get(`${path}/stats`)).data, shape({ queueLength: count, activeCount: count, estimatedWait: count }), 'stats');
    check((await post(`${path}/leave`)).data, shape({ message: text }), 'left');
  },

  async reserve() {
    const path = `/seats/${seen.event.id}`;
    same((await get('/seats/reservation')).data, null);
    await refused(400, 'seat_ids array is required', post(`${path}/reserve`, {}));
    const many = Array.from({ length: 11 }, (_, k) => String(k));
    await refused(400, 'Cannot reserve more than 10 seats at once', post(`${path}/reserve`, { seat_ids: many }));
    await refused(400, 'No active reservation found', post('/checkout', { payment_method: 'card' }));
    const { data } = await post(`${path}/reserve`, { seat_ids: seen.seats });
    check(data, shape({ seats: listOf(HeldSeat), expiresAt: time, totalPrice: amount }), 'reserved');
    same(data.seats.map((seat) => seat.id), seen.seats);
    same(data.totalPrice, data.seats.reduce((sum, seat) => sum + seat.price, 0));
    check((await post(`${path}/release`, { seat_ids: seen.seats.slice(1) })).data, shape({ message: text }), 'released');
    same((await post(`${path}/reserve`, { seat_ids: seen.seats.slice(1) })).data.seats.length, 2);
    const held = (await get('/seats/reservation')).data;
    check(held, shape({ seats: listOf(HeldSeat), total_price: amount, expires_at: time }), 'reservation');
    same([held.event_id, held.seats.length, held.total_price], [seen.event.id, 2, data.totalPrice]);
    seen.total = data.totalPrice;
  },

  async checkout() {
    await refused(400, 'payment_method is required', post('/checkout', {}));
    await refused(402, 'Payment failed: ', post('/checkout', { payment_method: 'decline' }));
    const key = { 'Idempotency-Key': crypto.randomUUID() };
    const { data } = await post('/checkout', { payment_method: 'card' }, key);
    check(data, shape({ order: Order, items: listOf(OrderItem), message: text }), 'bought');
    same([data.order.status, data.order.total_amount], ['completed', seen.total]);
    same(data.items.map((item) => item.seat_id), seen.seats);
    same((await post('/checkout', { payment_method: 'card' }, key)).data.order, data.order);
    await refused(422, '', post('/checkout', { payment_method: 'another' }, key));
    same((await get('/seats/reservation')).data, null);
    same(await statuses(), ['sold', 'sold']);
    seen.order = data.order.id;
  },

  async orders() {
    const { data } = await get('/checkout/orders');
    check(data, listOf(ListedOrder), 'orders');
    same(data.map((order) => order.status), ['completed', 'payment_failed']);
    same(data[0].id, seen.order);
  },

  async order() {
    const { data } = await get(`/checkout/orders/${seen.order}`);
    check(data, OrderDetails, 'order');
    same(data.seats.map((seat) => seat.section), [seen.section, seen.section]);
    await refused(404, 'Order not found', get(`/checkout/orders/${UNKNOWN}`));
  },

  async cancel() {
    same((await post(`/checkout/orders/${seen.order}/cancel`)).data.message, 'Order cancelled');
    same((await get(`/checkout/orders/${seen.order}`)).data.order.status, 'cancelled');
    await refused(400, 'Only completed orders can be cancelled', post(`/checkout/orders/${seen.order}/cancel`));
    same(await statuses(), ['available', 'available']);
  },

  async logout() {
    same((await post('/auth/logout')).success, true);
    await refused(401, '', get('/auth/me'));
  },
};

async function statuses() {
  const seats = (await get(`/seats/${seen.event.id}/sections/${encodeURIComponent(seen.section)}`)).data;
  return seats.filter((seat) => seen.seats.includes(seat.id)).map((seat) => seat.status);
}

function check(value, shaped, where) {
  shaped(value, where);
}

function same(one, other) {
  if (JSON.stringify(one) !== JSON.stringify(other)) throw new Error(`${JSON.stringify(one)} is not ${JSON.stringify(other)}`);
}

async function walk() {
  for (const [name, step] of Object.entries(steps)) {
    await step();
    const line = document.createElement('li');
    line.textContent = name;
    document.querySelector('#steps').append(line);
  }
}

const outcome = document.querySelector('#outcome');
walk().then(() => { outcome.textContent = 'done'; }, (error) => { outcome.textContent = `failed: ${error.message}`; });
