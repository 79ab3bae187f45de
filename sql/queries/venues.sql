-- name: venues
-- Every venue, by name.
SELECT id, name, address, city, state, country, timezone, capacity, image_url, created_at, updated_at
  FROM venue
 ORDER BY name, id

-- name: venue
-- One venue.
SELECT id, name, address, city, state, country, timezone, capacity, image_url, created_at, updated_at
  FROM venue
 WHERE id = $1

-- name: sections
-- The sections of a venue that exists, by position; one row of nulls when it has none, no row for no venue.
SELECT s.id, v.id AS venue_id, s.name, s.row_count, s.seats_per_row, s.base_price_cents, s.section_type,
       s.position_x, s.position_y, s.created_at
  FROM venue v
  LEFT JOIN section s ON s.venue_id = v.id
 WHERE v.id = $1
 ORDER BY s.position_y, s.position_x, s.name
