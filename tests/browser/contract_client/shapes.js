// The shapes of the contract. Further fields are let pass: clients ignore what they do not know.

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const is = (test, name) => (value, where) => {
  if (!test(value)) throw new Error(`${where} is no ${name}: ${JSON.stringify(value)}`);
};
export const text = is((value) => typeof value === 'string', 'string');
const truth = is((value) => typeof value === 'boolean', 'boolean');
export const count = is((value) => Number.isInteger(value) && value >= 0, 'count');
const integer = is(Number.isInteger, 'integer');
export const amount = is((value) => typeof value === 'number' && Math.abs(value * 100 - Math.round(value * 100)) < 1e-6, 'amount');
export const uuid = is((value) => UUID.test(value), 'UUID');
export const time = is((value) => TIME.test(value) && !Number.isNaN(Date.parse(value)), 'time');
const seatId = is((value) => /^(0|[1-9]\d*)$/.test(value), 'seat id');
export const oneOf = (...words) => is((value) => words.includes(value), words.join(' or '));
export const orNull = (shape) => (value, where) => value === null || shape(value, where);
export const listOf = (shape) => (value, where) => {
  if (!Array.isArray(value)) throw new Error(`${where} is no list`);
  value.forEach((item, k) => shape(item, `${where}[${k}]`));
};
export const shape = (fields) => (value, where) => {
  if (typeof value !== 'object' || value === null) throw new Error(`${where} is no object: ${JSON.stringify(value)}`);
  for (const [name, check] of Object.entries(fields)) check(value[name], `${where}.${name}`);
};
const and = (first, more) => (value, where) => { first(value, where); shape(more)(value, where); };

const times = { created_at: time, updated_at: time };
const tier = oneOf('vip', 'premium', 'standard', 'economy');
const seatStatus = oneOf('available', 'held', 'sold', 'blocked');

export const User = shape({ id: uuid, email: text, name: text, role: text });
export const Venue = shape({
  id: uuid, name: text, address: text, city: text, state: orNull(text), country: text, capacity: count,
  image_url: orNull(text), ...times,
});
export const Section = shape({
  id: uuid, venue_id: uuid, name: text, row_count: count, seats_per_row: count, base_price: amount, section_type: text,
  position_x: integer, position_y: integer, created_at: time,
});
export const Event = shape({
  id: uuid, name: text, description: text, venue_id: uuid, artist: text,
  category: oneOf('concert', 'sports', 'theater', 'comedy', 'other'), event_date: time, on_sale_date: time,
  status: oneOf('upcoming', 'on_sale', 'sold_out', 'completed', 'cancelled'), total_capacity: count,
  available_seats: count, image_url: orNull(text), waiting_room_enabled: truth, max_concurrent_shoppers: count,
  max_tickets_per_user: count, ...times, venue: Venue,
});
export const ShownSeat = shape({ id: seatId, row: text, seat_number: text, price: amount, price_tier: tier, status: seatStatus });
export const SectionCounts = shape({ section: text, available: count, total: count, min_price: amount, max_price: amount });
export const ShownSection = and(SectionCounts, { seats: listOf(ShownSeat) });
export const HeldSeat = shape({
  id: seatId, event_id: uuid, section: text, row: text, seat_number: text, price_tier: tier, price: amount,
  status: oneOf('held'), held_until: time, held_by_session: oneOf('self'), order_id: orNull(uuid), ...times,
});
export const PlaceInLine = shape({ position: count, status: oneOf('waiting', 'active', 'not_in_queue'), estimated_wait_seconds: count });
export const Order = shape({
  id: uuid, user_id: uuid, event_id: uuid, status: oneOf('pending', 'completed', 'cancelled', 'refunded', 'payment_failed'),
  total_amount: amount, payment_id: orNull(text), idempotency_key: orNull(text), completed_at: orNull(time), ...times,
});
export const ListedOrder = and(Order, { event_name: text, event_date: time, artist: text, venue_name: text, venue_city: text });
export const OrderItem = shape({ id: uuid, order_id: uuid, seat_id: seatId, price: amount, created_at: time });
export const OrderDetails = shape({
  order: and(ListedOrder, { venue_address: text }),
  items: listOf(and(OrderItem, { section: text, row: text, seat_number: text })),
  seats: listOf(shape({ section: text, row: text, seat_number: text, price: amount })),
});
