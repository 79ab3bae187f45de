-- name: venue_map
-- A venue's name, and its imported map with the names of its seats if it has one. $1 venue.
SELECT v.name, m.body, n.body AS names
  FROM venue v LEFT JOIN seat_map m ON m.sha256 = v.map_sha256 LEFT JOIN seat_names n ON n.sha256 = v.names_sha256
 WHERE v.id = $1

-- name: lock_venue
-- Nobody else changes the venue's plan until this transaction ends. $1 venue.
SELECT id FROM venue WHERE id = $1 FOR NO KEY UPDATE

-- name: venues_called
-- The venues of this name or id. $1 name or id.
SELECT id, name FROM venue WHERE name = $1 OR id::text = lower($1) ORDER BY created_at, id

-- name: coming_events_of_venue
-- Events that have seats and are not over or called off, with the names of their seats. $1 venue, $2 now.
SELECT e.id, e.name, n.body AS names
  FROM event e LEFT JOIN seat_names n ON n.sha256 = e.names_sha256
 WHERE e.venue_id = $1 AND e.seat_count > 0 AND e.stage NOT IN ('completed', 'cancelled') AND e.event_at > $2
 ORDER BY e.event_at, e.id

-- name: seats_in_use
-- The seats of an event that are not available, with what they are called. $1 event.
SELECT s.seat_index, s.state, p.section, p.row_label, p.seat_number
  FROM seat s JOIN place p ON p.event_id = s.event_id AND p.seat_index = s.seat_index
 WHERE s.event_id = $1 AND s.state <> 0 ORDER BY s.seat_index

-- name: section_numbers
-- The sections of a venue in numbers. $1 venue.
SELECT name, row_count, seats_per_row, base_price_cents, section_type, position_x, position_y
  FROM section WHERE venue_id = $1 ORDER BY position_y, position_x, name

-- name: set_venue_map
-- The map of a venue's further events; null: they follow from its sections. $1 venue, $2 sha256, $3 now, $4 sha256 of
-- the names of its seats.
UPDATE venue SET map_sha256 = $2, updated_at = $3, names_sha256 = $4 WHERE id = $1

-- name: drop_sections
-- Forget the sections of a venue. $1 venue.
DELETE FROM section WHERE venue_id = $1

-- name: update_venue
-- What is known of a venue, anew. $1 id, $2 name, $3 address, $4 city, $5 state, $6 country, $7 capacity,
-- $8 image, $9 now, $10 time zone.
UPDATE venue SET name = $2, address = $3, city = $4, state = $5, country = $6, capacity = $7, image_url = $8,
                 updated_at = $9, timezone = $10
 WHERE id = $1

-- name: event_to_change
-- An event as the organiser knows it; nobody else changes it until this transaction ends. $1 event.
SELECT name, description, venue_id, artist, category, event_at, on_sale_at, stage, image_url, currency,
       waiting_room_enabled, waiting_room_mode, max_concurrent_shoppers, admit_per_minute, max_tickets_per_user,
       orphan_rule, waiting_room_verified_email, seat_count
  FROM event WHERE id = $1 FOR UPDATE

-- name: update_event
-- What is known of an event, anew, but for the terms of its sale. $1 id, $2 name, $3 description, $4 venue, $5 artist,
-- $6 category, $7 image, $8 currency, $9 whether who joins has to have confirmed an e-mail address, $10 now.
UPDATE event SET name = $2, description = $3, venue_id = $4, artist = $5, category = $6, image_url = $7,
                 currency = $8, waiting_room_verified_email = $9, updated_at = $10
 WHERE id = $1

-- name: set_terms
-- The terms of a sale that has no seats yet, and so no seat manager; no row: it has. $1 event, $2 stage, $3 on sale
-- from, $4 date, $5 tickets per customer, $6 orphan rule, $7 waiting room, $8 its mode, $9 shoppers at once,
-- $10 admitted in a minute, $11 now.
UPDATE event SET stage = $2, on_sale_at = $3, event_at = $4, max_tickets_per_user = $5, orphan_rule = $6,
                 waiting_room_enabled = $7, waiting_room_mode = $8, max_concurrent_shoppers = $9,
                 admit_per_minute = $10, updated_at = $11
 WHERE id = $1 AND seat_count = 0
RETURNING id

-- name: blocked_seats
-- The blocked seats with why, by whom and when; what the plan has blocked has none of these. $1 event.
SELECT s.seat_index, b.reason, b.blocked_at, b.blocked_by, c.name AS blocked_by_name
  FROM seat s
  LEFT JOIN seat_block b USING (event_id, seat_index)
  LEFT JOIN customer c ON c.id = b.blocked_by
 WHERE s.event_id = $1 AND s.state = 3 ORDER BY b.blocked_at NULLS FIRST, b.reason, b.blocked_by, s.seat_index

-- name: without_time_limit
-- In this transaction, take the time that many seats need, and wait for locks a while.
SELECT set_config('transaction_timeout', '0', true), set_config('lock_timeout', '4s', true),
       set_config('idle_in_transaction_session_timeout', '10s', true)
