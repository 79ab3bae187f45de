-- name: lock_event_for_seats
-- How many seats an event has; nobody else makes any until this transaction ends. $1 event.
SELECT seat_count FROM event WHERE id = $1 FOR UPDATE;

-- name: wait_for_locks
-- In this transaction, wait for another process that makes the same things rather than give up.
SET LOCAL lock_timeout = '4s';

-- name: store_seat_map
-- Keep a map; the same map of several events is kept once. $1 sha256, $2 body, $3 now.
INSERT INTO seat_map (sha256, body, created_at) VALUES ($1, $2, $3)
ON CONFLICT (sha256) DO NOTHING;

-- name: store_seat_names
-- Keep what the seats of a plan are known by. $1 sha256, $2 body, $3 now.
INSERT INTO seat_names (sha256, body, created_at) VALUES ($1, $2, $3)
ON CONFLICT (sha256) DO NOTHING;

-- name: begin_event_head
-- The head of an event that nobody owns yet, with the epoch in which its history begins. $1 event, $2 available.
INSERT INTO event_head (event_id, epoch, timeline, available)
VALUES ($1, gen_random_uuid()::text, left(pg_walfile_name(pg_current_wal_lsn()), 8), $2);

-- name: set_event_seats
-- The event has its seats from now on. $1 event, $2 seats, $3 sha256 of the map, $4 now, $5 sha256 of their names.
UPDATE event SET seat_count = $2, map_sha256 = $3, updated_at = $4, names_sha256 = $5 WHERE id = $1;

-- name: add_venue
-- A venue, unless it is there. $1 id, $2 name, $3 address, $4 city, $5 state, $6 country, $7 capacity, $8 image,
-- $9 now, $10 time zone.
INSERT INTO venue (id, name, address, city, state, country, capacity, image_url, created_at, updated_at, timezone)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)
ON CONFLICT (id) DO NOTHING;

-- name: add_section
-- A section, unless its venue has one of that name. $1 id, $2 venue, $3 name, $4 rows, $5 seats per row,
-- $6 price in cents, $7 type, $8 x, $9 y, $10 now.
INSERT INTO section (id, venue_id, name, row_count, seats_per_row, base_price_cents, section_type,
                     position_x, position_y, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (venue_id, name) DO NOTHING;

-- name: add_event
-- An event without seats, unless it is there. $1 id, $2 name, $3 description, $4 venue, $5 artist, $6 category,
-- $7 date, $8 on sale from, $9 currency, $10 waiting room, $11 shoppers at once, $12 tickets per customer, $13 image, $14 now,
-- $15 orphan rule, $16 the waiting room's mode, $17 admitted in a minute, $18 whether who joins has to have confirmed
-- an e-mail address.
INSERT INTO event (id, name, description, venue_id, artist, category, event_at, on_sale_at, currency,
                   waiting_room_enabled, max_concurrent_shoppers, max_tickets_per_user, image_url, created_at, updated_at,
                   orphan_rule, waiting_room_mode, admit_per_minute, waiting_room_verified_email)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $16, $17, $18)
ON CONFLICT (id) DO NOTHING;

-- name: events_with_seats
-- Which of these events have their seats. $1 ids.
SELECT id FROM event WHERE id = ANY($1::uuid[]) AND seat_count > 0;

-- name: add_admin
-- The account of an administrator, unless the e-mail address has one. $1 id, $2 e-mail, $3 name, $4 hash, $5 now.
INSERT INTO customer (id, email, name, password_hash, role, created_at)
VALUES ($1, $2, $3, $4, 'admin', $5)
ON CONFLICT DO NOTHING  -- of the id, too: another process may be making the same account
RETURNING id;

-- name: set_admin_password
-- A new password for an account that is an administrator's already. $1 e-mail, $2 hash.
UPDATE customer SET password_hash = $2 WHERE lower(email) = lower($1) AND role = 'admin'
RETURNING id;
