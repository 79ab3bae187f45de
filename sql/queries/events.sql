-- name: events
-- One page of the events that match, by date, with the count of all that match in every row. Beyond the last page
-- there is one row with the count alone. A filter that is null lets everything pass.
-- $1 now; filters: $2 category, $3 status, $4 search, $5 artist, $6 venue, $7 from, $8 before; $9 limit, $10 offset;
-- $11 city.
WITH matching AS (
    SELECT e.id, e.name, e.description, e.venue_id, e.artist, e.category, e.event_at, e.on_sale_at, s.status,
           e.seat_count, coalesce(h.available, 0) AS available, e.image_url, e.currency,
           e.waiting_room_enabled, e.waiting_room_mode, e.max_concurrent_shoppers, e.admit_per_minute,
           e.waiting_room_verified_email,
           e.max_tickets_per_user, e.orphan_rule, e.created_at, e.updated_at,
           v.name AS venue_name, v.address, v.city, v.state, v.country, v.timezone, v.capacity,
           v.image_url AS venue_image_url, v.created_at AS venue_created_at, v.updated_at AS venue_updated_at
      FROM event e
      JOIN venue v ON v.id = e.venue_id
      LEFT JOIN event_head h ON h.event_id = e.id
     CROSS JOIN LATERAL event_status(
           e.stage, e.on_sale_at, e.event_at, e.seat_count, coalesce(h.available, 0), coalesce(h.held, 0), $1
           ) AS s(status)
     WHERE ($2::text IS NULL OR e.category = $2)
       AND ($11::text IS NULL OR lower(v.city) = lower($11))
       AND ($3::text IS NULL OR s.status = $3)
       AND ($4::text IS NULL OR strpos(lower(e.name), lower($4)) > 0 OR strpos(lower(e.artist), lower($4)) > 0
            OR strpos(lower(v.name), lower($4)) > 0)
       AND ($5::text IS NULL OR strpos(lower(e.artist), lower($5)) > 0)
       AND ($6::text IS NULL OR v.id::text = lower($6) OR strpos(lower(v.name), lower($6)) > 0)
       AND ($7::timestamptz IS NULL OR e.event_at >= $7)
       AND ($8::timestamptz IS NULL OR e.event_at < $8)
), counted AS (
    SELECT count(*) AS total FROM matching
), page AS (
    SELECT * FROM matching ORDER BY event_at, id LIMIT $9 OFFSET $10
)
SELECT c.total, p.*
  FROM counted c
  LEFT JOIN page p ON true
 ORDER BY p.event_at, p.id

-- name: event
-- One event with its venue, as in a page of events. $1 now, $2 the event.
SELECT e.id, e.name, e.description, e.venue_id, e.artist, e.category, e.event_at, e.on_sale_at,
       event_status(e.stage, e.on_sale_at, e.event_at, e.seat_count,
                    coalesce(h.available, 0), coalesce(h.held, 0), $1) AS status,
       e.seat_count, coalesce(h.available, 0) AS available, e.image_url, e.currency,
       e.waiting_room_enabled, e.waiting_room_mode, e.max_concurrent_shoppers, e.admit_per_minute,
       e.waiting_room_verified_email,
       e.max_tickets_per_user, e.orphan_rule, e.created_at, e.updated_at,
       v.name AS venue_name, v.address, v.city, v.state, v.country, v.timezone, v.capacity,
       v.image_url AS venue_image_url, v.created_at AS venue_created_at, v.updated_at AS venue_updated_at
  FROM event e
  JOIN venue v ON v.id = e.venue_id
  LEFT JOIN event_head h ON h.event_id = e.id
 WHERE e.id = $2

-- name: asks_for_verified_email
-- Is this event's waiting room for those alone who have confirmed an e-mail address? $1 the event.
SELECT waiting_room_verified_email FROM event WHERE id = $1
