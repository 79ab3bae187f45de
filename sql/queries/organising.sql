-- name: venue_map
-- A venue's name, and its imported map if it has one. $1 venue.
SELECT v.name, m.body FROM venue v LEFT JOIN seat_map m ON m.sha256 = v.map_sha256 WHERE v.id = $1

-- name: section_numbers
-- The sections of a venue in numbers. $1 venue.
SELECT name, row_count, seats_per_row, base_price_cents, section_type, position_x, position_y
  FROM section WHERE venue_id = $1 ORDER BY position_y, position_x, name

-- name: set_venue_map
-- The map of a venue's further events; null: they follow from its sections. $1 venue, $2 sha256, $3 now.
UPDATE venue SET map_sha256 = $2, updated_at = $3 WHERE id = $1

-- name: drop_sections
-- Forget the sections of a venue. $1 venue.
DELETE FROM section WHERE venue_id = $1

-- name: update_venue
-- What is known of a venue, anew. $1 id, $2 name, $3 address, $4 city, $5 state, $6 country, $7 capacity,
-- $8 image, $9 now.
UPDATE venue SET name = $2, address = $3, city = $4, state = $5, country = $6, capacity = $7, image_url = $8,
                 updated_at = $9
 WHERE id = $1

-- name: event_to_change
-- An event as the organiser knows it; nobody else changes it until this transaction ends. $1 event.
SELECT name, description, venue_id, artist, category, event_at, on_sale_at, stage, image_url, currency,
       waiting_room_enabled, max_concurrent_shoppers, max_tickets_per_user, seat_count
  FROM event WHERE id = $1 FOR UPDATE

-- name: update_event
-- What is known of an event, anew, but for the terms of its sale. $1 id, $2 name, $3 description, $4 venue, $5 artist,
-- $6 category, $7 image, $8 currency, $9 waiting room, $10 shoppers at once, $11 now.
UPDATE event SET name = $2, description = $3, venue_id = $4, artist = $5, category = $6, image_url = $7,
                 currency = $8, waiting_room_enabled = $9, max_concurrent_shoppers = $10, updated_at = $11
 WHERE id = $1

-- name: set_terms
-- The terms of a sale that has no seats yet, and so no seat manager; no row: it has. $1 event, $2 stage, $3 on sale
-- from, $4 date, $5 tickets per customer, $6 now.
UPDATE event SET stage = $2, on_sale_at = $3, event_at = $4, max_tickets_per_user = $5, updated_at = $6
 WHERE id = $1 AND seat_count = 0
RETURNING id

-- name: without_time_limit
-- In this transaction, take the time that many seats need, and wait for locks a while.
SELECT set_config('transaction_timeout', '0', true), set_config('lock_timeout', '4s', true)
