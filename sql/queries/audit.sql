-- What the auditor asks. Each check answers (event_id, what): one row for each thing that is not as it must be.
-- A check's text up to the first full stop is its title.

-- name: audited
-- How much an audit looks at.
SELECT (SELECT count(*) FROM event_head) AS events, (SELECT count(*) FROM seat) AS seats,
       (SELECT count(*) FROM hold) AS holds, (SELECT count(*) FROM orders) AS orders,
       (SELECT count(*) FROM ticket) AS tickets, (SELECT count(*) FROM queue_entry) AS queue_entries,
       (SELECT count(*) FROM journal) AS journal_entries

-- name: audit_sold_seat
-- Each sold seat has exactly one valid ticket.
SELECT s.event_id, format('seat %s is sold and has %s valid tickets', s.seat_index, coalesce(t.n, 0)) AS what
  FROM seat s
  LEFT JOIN (SELECT event_id, seat_index, count(*) AS n FROM ticket WHERE status = 'valid' GROUP BY 1, 2) t
       USING (event_id, seat_index)
 WHERE s.state = 2 AND coalesce(t.n, 0) <> 1

-- name: audit_ticket_seat
-- Each valid ticket is for a seat that is sold to its customer.
SELECT t.event_id, format('ticket %s of %s is for seat %s, which is %s', t.id, t.customer_id, t.seat_index,
           CASE WHEN s.seat_index IS NULL THEN 'not there' WHEN s.state <> 2 THEN 'not sold'
                ELSE format('sold to %s', s.holder) END) AS what
  FROM ticket t
  LEFT JOIN seat s USING (event_id, seat_index)
 WHERE t.status = 'valid' AND (s.state IS DISTINCT FROM 2 OR s.holder IS DISTINCT FROM t.customer_id)

-- name: audit_ticket_twice
-- No seat has two valid tickets. The index ticket_seat_once sees to it, as long as it is there.
SELECT event_id, format('seat %s has %s valid tickets', seat_index, count(*)) AS what
  FROM ticket WHERE status = 'valid' GROUP BY event_id, seat_index HAVING count(*) > 1

-- name: audit_held_seat
-- Each held seat belongs to a hold of its customer.
SELECT s.event_id, format('seat %s is held by %s, who has no hold', s.seat_index, s.holder) AS what
  FROM seat s
  LEFT JOIN hold h ON h.event_id = s.event_id AND h.customer_id = s.holder
 WHERE s.state = 1 AND h.customer_id IS NULL

-- name: audit_hold
-- Each hold has a seat.
SELECT h.event_id, format('the hold of %s has no seat', h.customer_id) AS what
  FROM hold h
  LEFT JOIN (SELECT DISTINCT event_id, holder FROM seat WHERE state = 1) s
       ON s.event_id = h.event_id AND s.holder = h.customer_id
 WHERE s.holder IS NULL

-- name: audit_block
-- Each reason is about a blocked seat.
SELECT b.event_id, format('seat %s is %s, and there is a reason why it is blocked: %s', b.seat_index,
                          coalesce(s.state::text, 'not there'), b.reason) AS what
  FROM seat_block b
  LEFT JOIN seat s USING (event_id, seat_index)
 WHERE s.state IS DISTINCT FROM 3

-- name: audit_queue_place
-- No two customers of an event have one place in line.
SELECT event_id, format('place %s is that of %s customers', place, count(*)) AS what
  FROM queue_entry WHERE place IS NOT NULL GROUP BY event_id, place HAVING count(*) > 1

-- name: audit_queue_chain
-- The chain of a draw has an entry in each position, and the draw had them all.
SELECT event_id, format('%s entries have positions up to %s; %s were drawn', q.entries, q.last,
                        coalesce(d.entry_count::text, 'none')) AS what
  FROM (SELECT event_id, count(*) AS entries, max(position) AS last FROM queue_entry
         WHERE position IS NOT NULL GROUP BY event_id) q
  LEFT JOIN queue_draw d USING (event_id)
 WHERE q.entries <> q.last OR d.event_id IS NULL OR q.entries <> coalesce(d.entry_count, q.entries)

-- name: audit_queue_order
-- Turns came in the order of places.
SELECT event_id, format('place %s was admitted at %s, place %s at %s', place, admitted_at, before, admitted_before)
           AS what
  FROM (SELECT event_id, place, admitted_at,
               lag(place) OVER (PARTITION BY event_id ORDER BY place) AS before,
               lag(admitted_at) OVER (PARTITION BY event_id ORDER BY place) AS admitted_before
          FROM queue_entry
         WHERE place IS NOT NULL AND admitted_at IS NOT NULL) q
 WHERE admitted_before > admitted_at

-- name: audit_hold_times
-- Each hold ends after it began and within its longest life. Source: the socket protocol, 1,200 s.
SELECT event_id, format('the hold of %s lasts from %s to %s', customer_id, started_at, expires_at) AS what
  FROM hold
 WHERE expires_at <= started_at OR expires_at > started_at + interval '1200 seconds' OR changed_at < started_at

-- name: audit_item_ticket
-- Each item of a completed order has its valid ticket.
SELECT i.event_id, format('order %s is completed and has no valid ticket for seat %s', i.order_id, i.seat_index)
       AS what
  FROM order_item i
  JOIN orders o ON o.event_id = i.event_id AND o.id = i.order_id AND o.status = 'completed'
  LEFT JOIN ticket t ON t.event_id = i.event_id AND t.order_id = i.order_id AND t.seat_index = i.seat_index
       AND t.status = 'valid'
 WHERE t.id IS NULL

-- name: audit_ticket_order
-- Each valid ticket is for an item of a completed order of its customer.
SELECT t.event_id, format('ticket %s for seat %s belongs to order %s, which is %s', t.id, t.seat_index, t.order_id,
           CASE WHEN o.id IS NULL THEN 'not there' WHEN o.status <> 'completed' THEN o.status
                WHEN o.customer_id <> t.customer_id THEN 'another customer''s' ELSE 'for other seats' END) AS what
  FROM ticket t
  LEFT JOIN orders o ON o.event_id = t.event_id AND o.id = t.order_id
  LEFT JOIN order_item i ON i.event_id = t.event_id AND i.order_id = t.order_id AND i.seat_index = t.seat_index
 WHERE t.status = 'valid'
   AND (o.status IS DISTINCT FROM 'completed' OR o.customer_id <> t.customer_id OR i.id IS NULL)

-- name: audit_order_part
-- Each item, ticket and payment attempt belongs to an order, and each order has items.
SELECT event_id, format('%s of order %s, which is not there', part, order_id) AS what
  FROM (SELECT event_id, order_id, 'an item' AS part FROM order_item
        UNION ALL SELECT event_id, order_id, 'a ticket' FROM ticket
        UNION ALL SELECT event_id, order_id, 'an attempt' FROM payment_attempt) p
 WHERE NOT EXISTS (SELECT FROM orders o WHERE o.event_id = p.event_id AND o.id = p.order_id)
UNION ALL
SELECT o.event_id, format('order %s has no items', o.id)
  FROM orders o
 WHERE NOT EXISTS (SELECT FROM order_item i WHERE i.event_id = o.event_id AND i.order_id = o.id)

-- name: audit_order_total
-- An order's total is the sum of its items.
SELECT o.event_id, format('order %s costs %s, its items %s cents', o.id, o.total_cents, sum(i.price_cents)) AS what
  FROM orders o
  JOIN order_item i ON i.event_id = o.event_id AND i.order_id = o.id
 GROUP BY o.event_id, o.id
HAVING sum(i.price_cents) <> o.total_cents

-- name: audit_pending_order
-- Each pending order waits for one payment, and its customer holds exactly its seats.
SELECT o.event_id, format('order %s is pending with %s attempts, %s of them open', o.id, count(a.id),
                          count(a.id) FILTER (WHERE a.status = 'wanted')) AS what
  FROM orders o
  LEFT JOIN payment_attempt a ON a.event_id = o.event_id AND a.order_id = o.id
 WHERE o.status = 'pending'
 GROUP BY o.event_id, o.id
HAVING count(a.id) <> 1 OR count(a.id) FILTER (WHERE a.status = 'wanted') <> 1
UNION ALL
SELECT o.event_id, format('order %s is pending for seats %s, its customer holds %s', o.id, i.seats, s.seats)
  FROM orders o
  LEFT JOIN LATERAL (SELECT array_agg(seat_index ORDER BY seat_index) AS seats FROM order_item
                      WHERE event_id = o.event_id AND order_id = o.id) i ON true
  LEFT JOIN LATERAL (SELECT array_agg(seat_index ORDER BY seat_index) AS seats FROM seat
                      WHERE event_id = o.event_id AND state = 1 AND holder = o.customer_id) s ON true
 WHERE o.status = 'pending' AND i.seats IS DISTINCT FROM s.seats

-- name: audit_open_attempt
-- No payment is wanted any more for an order that is settled.
SELECT a.event_id, format('order %s is %s, and attempt %s is still open', o.id, o.status, a.id) AS what
  FROM payment_attempt a
  JOIN orders o ON o.event_id = a.event_id AND o.id = a.order_id
 WHERE a.status = 'wanted' AND o.status <> 'pending'

-- name: audit_paid_order
-- Money was taken exactly once for each order that was completed, and never for another.
SELECT o.event_id, format('order %s is %s, and money was taken %s times', o.id, o.status, count(a.id)) AS what
  FROM orders o
  LEFT JOIN payment_attempt a ON a.event_id = o.event_id AND a.order_id = o.id AND a.status = 'succeeded'
 GROUP BY o.event_id, o.id
HAVING count(a.id) <> CASE WHEN o.status IN ('completed', 'cancelled', 'refunded') THEN 1 ELSE 0 END

-- name: audit_charge
-- What is charged is the order's total, in its currency, under the provider's name for it.
SELECT a.event_id, format('order %s costs %s %s (%s), attempt %s is about %s %s (%s)', o.id, o.total_cents,
                          o.currency, o.payment_id, a.id, a.amount_cents, a.currency, a.payment_id) AS what
  FROM payment_attempt a
  JOIN orders o ON o.event_id = a.event_id AND o.id = a.order_id
 WHERE (a.amount_cents, a.currency) IS DISTINCT FROM (o.total_cents, o.currency)
    OR (a.status = 'succeeded' AND (a.payment_id IS NULL OR a.payment_id IS DISTINCT FROM o.payment_id))

-- name: audit_idempotency
-- Each Idempotency-Key leads to an order of its customer.
SELECT k.event_id, format('key %s of %s leads to order %s', k.key, k.customer_id, k.order_id) AS what
  FROM idempotency k
  LEFT JOIN orders o ON o.event_id = k.event_id AND o.id = k.order_id
 WHERE o.customer_id IS DISTINCT FROM k.customer_id

-- name: audit_counters
-- The counters of an event are those of its seats.
SELECT h.event_id, format('%s available and %s held are counted, there are %s and %s', h.available, h.held,
                          coalesce(s.available, 0), coalesce(s.held, 0)) AS what
  FROM event_head h
  LEFT JOIN (SELECT event_id, count(*) FILTER (WHERE state = 0) AS available,
                    count(*) FILTER (WHERE state = 1) AS held
               FROM seat GROUP BY event_id) s USING (event_id)
 WHERE (h.available, h.held) IS DISTINCT FROM (coalesce(s.available, 0), coalesce(s.held, 0))

-- name: audit_seats
-- Each event has a head and all of its seats, each with its place.
SELECT e.id AS event_id, format('%s seats are promised, there are %s, and %s places', e.seat_count,
                                coalesce(s.n, 0), coalesce(p.n, 0)) AS what
  FROM event e
  LEFT JOIN (SELECT event_id, count(*) AS n, max(seat_index) AS last FROM seat GROUP BY 1) s ON s.event_id = e.id
  LEFT JOIN (SELECT event_id, count(*) AS n, max(seat_index) AS last FROM place GROUP BY 1) p ON p.event_id = e.id
 WHERE (coalesce(s.n, 0), coalesce(p.n, 0)) <> (e.seat_count, e.seat_count)
    OR coalesce(s.last, -1) <> e.seat_count - 1 OR coalesce(p.last, -1) <> e.seat_count - 1
UNION ALL
SELECT e.id, 'it has seats and no head'
  FROM event e
 WHERE e.seat_count > 0 AND NOT EXISTS (SELECT FROM event_head h WHERE h.event_id = e.id)

-- name: audit_customers
-- Whoever has a seat, a hold, an order or a ticket is a customer.
SELECT event_id, format('%s has %s and is no customer', customer_id, thing) AS what
  FROM (SELECT event_id, holder AS customer_id, 'seats' AS thing FROM seat WHERE holder IS NOT NULL
        UNION SELECT event_id, customer_id, 'a hold' FROM hold
        UNION SELECT event_id, customer_id, 'an order' FROM orders
        UNION SELECT event_id, customer_id, 'a ticket' FROM ticket) had
 WHERE NOT EXISTS (SELECT FROM customer c WHERE c.id = had.customer_id)

-- name: audit_journal_gap
-- The journal has every revision, from the oldest that is kept on.
SELECT event_id, format('revisions %s to %s are missing', was + 1, revision - 1) AS what
  FROM (SELECT event_id, revision, lag(revision) OVER (PARTITION BY event_id ORDER BY revision) AS was
          FROM (SELECT DISTINCT event_id, revision FROM journal) d) g
 WHERE revision <> was + 1

-- name: audit_journal_head
-- The journal ends where the event is.
SELECT h.event_id, format('the event is at revision %s, its journal at %s', h.revision, j.revision) AS what
  FROM event_head h
  JOIN (SELECT event_id, max(revision) AS revision FROM journal GROUP BY 1) j USING (event_id)
 WHERE j.revision <> h.revision

-- name: audit_journal_batch
-- The journal has each batch once and whole.
SELECT event_id, format('revision %s has %s entries, numbered %s to %s', revision, count(*), min(position),
                        max(position)) AS what
  FROM journal GROUP BY event_id, revision
HAVING (min(position), max(position)) <> (1, count(*)) OR count(DISTINCT at) > 1

-- name: audit_journal_command
-- No command of a customer took effect twice.
SELECT event_id, format('command %s of %s is there %s times', command_id, customer_id, count(*)) AS what
  FROM journal WHERE command_id IS NOT NULL
 GROUP BY event_id, customer_id, command_id HAVING count(*) > 1

-- name: audit_journal_seat
-- Each seat is as the last entry of the journal about it says.
SELECT j.event_id, format('seat %s is %s (%s); at revision %s it was %s by %s', j.seat_index, s.state, s.holder,
                          j.revision, j.kind, j.customer_id) AS what
  FROM (SELECT DISTINCT ON (event_id, seat_index) event_id, seat_index, revision, kind, customer_id,
               CASE WHEN kind = 'hold' THEN 1 WHEN kind = 'completed' THEN 2
                    WHEN kind IN ('release', 'expired', 'cancelled', 'queue', 'unblocked') THEN 0
                    WHEN kind = 'blocked' THEN 3 END AS state
          FROM journal, unnest(seats) AS seat_index
         ORDER BY event_id, seat_index, revision DESC, position DESC) j
  LEFT JOIN seat s ON s.event_id = j.event_id AND s.seat_index = j.seat_index
 WHERE s.state IS DISTINCT FROM j.state
    OR s.holder IS DISTINCT FROM CASE WHEN j.state IN (1, 2) THEN j.customer_id END
UNION ALL
SELECT s.event_id, format('seat %s is held by %s, and the journal does not say so', s.seat_index, s.holder)
  FROM seat s
 WHERE s.state = 1
   AND NOT EXISTS (SELECT FROM journal j
                    WHERE j.event_id = s.event_id AND j.kind = 'hold' AND j.customer_id = s.holder
                      AND s.seat_index = ANY (j.seats))

-- name: audit_journal_order
-- The journal knows of each order that was completed lately. It is kept for 48 hours.
SELECT o.event_id, format('order %s was completed, and the journal does not say so', o.id) AS what
  FROM orders o
 WHERE o.completed_at > now() - interval '47 hours'
   AND NOT EXISTS (SELECT FROM journal j
                    WHERE j.event_id = o.event_id AND j.customer_id = o.customer_id
                      AND j.command_id = o.command_id AND j.kind = 'completed')
