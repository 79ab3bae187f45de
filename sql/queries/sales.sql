-- name: sale
-- An event that has seats. $1 event.
SELECT seat_count, map_sha256, created_at FROM event WHERE id = $1 AND map_sha256 IS NOT NULL

-- name: places
-- What each seat is called and costs, in index order. $1 event.
SELECT section, row_label, seat_number, price_tier, price_cents FROM place WHERE event_id = $1 ORDER BY seat_index

-- name: seat_map
-- The geometry with this hash. $1 SHA-256 in hex.
SELECT body FROM seat_map WHERE sha256 = $1

-- name: event_times
-- When an event was made and changed. $1 event.
SELECT created_at, updated_at FROM event WHERE id = $1

-- name: customer_holds
-- The events in which a customer holds seats, the hold changed last first. $1 customer.
SELECT h.event_id, h.started_at, h.changed_at, h.expires_at, e.created_at AS event_created_at
  FROM hold h JOIN event e ON e.id = h.event_id
 WHERE h.customer_id = $1 ORDER BY h.changed_at DESC, h.event_id

-- name: ran_out_lately
-- Did a hold of this customer run out since? $1 customer, $2 since.
SELECT EXISTS (SELECT FROM journal WHERE customer_id = $1 AND kind = 'expired' AND at > $2)

-- name: idempotent_order
-- The order that a key of this customer began, unless the key has run out. $1 customer, $2 key, $3 keys live since.
SELECT i.request_hash, i.order_id, i.created_at, o.status, o.failure
  FROM idempotency i JOIN orders o ON o.event_id = i.event_id AND o.id = i.order_id
 WHERE i.customer_id = $1 AND i.key = $2 AND i.created_at > $3

-- name: earlier_uses_of_key
-- How many orders this customer began with a key whenever it had been new before, and has run out since.
-- $1 customer, $2 the id of its first command, $3 keys live since.
SELECT count(*) FROM orders
 WHERE customer_id = $1 AND (command_id = $2 OR starts_with(command_id, $2 || '-')) AND created_at <= $3

-- name: drop_old_keys
-- Drops keys that have run out, at most so many. $1 keys live since, $2 at most so many.
WITH old AS (
    SELECT customer_id, key FROM idempotency WHERE created_at <= $1 ORDER BY created_at LIMIT $2
), dropped AS (
    DELETE FROM idempotency i USING old
     WHERE i.customer_id = old.customer_id AND i.key = old.key AND i.created_at <= $1
    RETURNING 1
)
SELECT count(*) FROM dropped

-- name: order
-- One order of a customer, with its event and venue. $1 order, $2 customer.
SELECT o.id, o.customer_id, o.event_id, o.status, o.total_cents, o.currency, o.payment_id, o.created_at,
       o.completed_at, o.updated_at, i.key AS idempotency_key,
       e.name AS event_name, e.event_at, e.artist, v.name AS venue_name, v.city AS venue_city,
       v.timezone AS venue_timezone,
       v.address AS venue_address
  FROM orders o
  JOIN event e ON e.id = o.event_id
  JOIN venue v ON v.id = e.venue_id
  LEFT JOIN idempotency i ON i.customer_id = o.customer_id AND i.order_id = o.id
 WHERE o.id = $1 AND o.customer_id = $2

-- name: orders
-- All orders of a customer, the newest first. $1 customer.
SELECT o.id, o.customer_id, o.event_id, o.status, o.total_cents, o.currency, o.payment_id, o.created_at,
       o.completed_at, o.updated_at, i.key AS idempotency_key,
       e.name AS event_name, e.event_at, e.artist, v.name AS venue_name, v.city AS venue_city,
       v.timezone AS venue_timezone
  FROM orders o
  JOIN event e ON e.id = o.event_id
  JOIN venue v ON v.id = e.venue_id
  LEFT JOIN idempotency i ON i.customer_id = o.customer_id AND i.order_id = o.id
 WHERE o.customer_id = $1 ORDER BY o.created_at DESC, o.id

-- name: order_items
-- The items of an order with what their seats are called. $1 event, $2 order.
SELECT i.id, i.seat_index, i.price_cents, p.section, p.row_label, p.seat_number
  FROM order_item i JOIN place p ON p.event_id = i.event_id AND p.seat_index = i.seat_index
 WHERE i.event_id = $1 AND i.order_id = $2 ORDER BY i.seat_index

-- name: valid_tickets
-- The tickets of an order that were not cancelled. $1 event, $2 order.
SELECT id, seat_index FROM ticket
 WHERE event_id = $1 AND order_id = $2 AND status = 'valid' ORDER BY seat_index
