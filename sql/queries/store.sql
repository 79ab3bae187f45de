-- name: claim_event
-- Own the event: one more term, unless a living node owns it. A node from which an event was taken is dead from then
-- on, whatever it thinks: its row goes, and should it still live, it has to begin anew. A database whose timeline has
-- changed since the epoch was made may have lost history: the epoch changes with it. $1 event, $2 node.
WITH before AS (
    SELECT owner FROM event_head WHERE event_id = $1
), claimed AS (
    UPDATE event_head h
       SET owner = $2, term = term + 1,
           epoch = CASE WHEN h.timeline = d.timeline THEN h.epoch ELSE gen_random_uuid()::text END,
           timeline = d.timeline
      FROM (SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline) d
     WHERE h.event_id = $1 AND (h.owner IS NULL OR h.owner = $2 OR node_is_dead(h.owner))
    RETURNING h.term
), buried AS (
    DELETE FROM node n USING before, claimed WHERE n.id = before.owner AND n.id <> $2
)
SELECT term FROM claimed;

-- name: release_event
-- Give the event up. $1 event, $2 node, $3 term.
UPDATE event_head SET owner = NULL WHERE event_id = $1 AND owner = $2 AND term = $3;

-- name: load_event
-- Head and terms of an event that is ours; no row: it is not. $1 event, $2 node, $3 term.
SELECT to_ms(clock_timestamp()) AS now_ms, h.revision, h.epoch, e.stage, to_ms(e.on_sale_at) AS on_sale_at_ms,
       to_ms(e.event_at) AS event_at_ms, e.max_tickets_per_user, e.currency, e.orphan_rule,
       CASE WHEN e.waiting_room_enabled THEN e.waiting_room_mode ELSE 'off' END AS queue_mode,
       e.max_concurrent_shoppers, e.admit_per_minute
  FROM event_head h JOIN event e ON e.id = h.event_id
 WHERE h.event_id = $1 AND h.owner = $2 AND h.term = $3;

-- name: load_runs
-- The runs of adjacent seats of one price, in index order. $1 event.
SELECT section, price_tier, price_cents, min(seat_index) AS first, count(*)::integer AS seat_count,
       min(distance) AS distance, array_agg(distance ORDER BY seat_index) AS distances,
       array_agg(seat_index) FILTER (WHERE accessible) AS accessible,
       array_agg(seat_index) FILTER (WHERE companion) AS companion
  FROM place WHERE event_id = $1
 GROUP BY run, section, price_tier, price_cents ORDER BY first;

-- name: load_states
-- The state of every seat, one number a seat in index order. $1 event.
SELECT array_agg(state ORDER BY seat_index) FROM seat WHERE event_id = $1;

-- name: load_holders
-- Who has each held or sold seat. $1 event.
SELECT seat_index, holder FROM seat WHERE event_id = $1 AND state IN (1, 2);

-- name: load_holds
-- Every hold. $1 event.
SELECT customer_id, to_ms(started_at) AS started_ms, to_ms(changed_at) AS changed_ms,
       to_ms(expires_at) AS expires_ms, extended
  FROM hold WHERE event_id = $1;

-- name: load_orders
-- Orders that can still change, with their seats. $1 event.
SELECT o.id, o.customer_id, o.status, o.currency, o.payment_method, o.command_id, o.content_hash, o.payment_id,
       to_ms(o.created_at) AS created_ms,
       array_agg(i.seat_index ORDER BY i.seat_index) AS seats,
       array_agg(i.price_cents ORDER BY i.seat_index) AS prices_cents
  FROM orders o JOIN order_item i ON i.event_id = o.event_id AND i.order_id = o.id
 WHERE o.event_id = $1 AND o.status IN ('pending', 'completed')
 GROUP BY o.event_id, o.id;

-- name: load_ran_out
-- Customers whose hold ran out a short while ago, and when. $1 event, $2 seconds back.
SELECT customer_id, to_ms(max(at)) AS at_ms FROM journal
 WHERE event_id = $1 AND kind = 'expired' AND at > clock_timestamp() - make_interval(secs => $2)
 GROUP BY customer_id;

-- name: open_draw
-- Commit to the operator's seed, unless that was done before. $1 event, $2 seed, $3 commitment, $4 beacon's chain, $5 its
-- address; both null: no beacon.
INSERT INTO queue_draw (event_id, operator_seed, commitment, beacon_chain, beacon_url, opened_at)
VALUES ($1, $2, $3, $4, $5, clock_timestamp())
    ON CONFLICT DO NOTHING;

-- name: load_draw
-- What the draw is made of. $1 event.
SELECT operator_seed, beacon_chain, to_ms(closed_at) AS closed_ms, to_ms(drawn_at) AS at_ms, entry_count, final_head, seed
  FROM queue_draw WHERE event_id = $1;

-- name: load_queue
-- Who is in the waiting room, and the whole chain. $1 event.
SELECT customer_id, state, to_ms(joined_at) AS joined_ms, place, position, nonce, to_ms(until_at) AS until_ms,
       to_ms(admitted_at) AS admitted_ms, has_missed
  FROM queue_entry WHERE event_id = $1 AND (state <> 'out' OR position IS NOT NULL);

-- name: load_line
-- How far the line has come. $1 event.
SELECT coalesce((SELECT max(place) FROM queue_entry q WHERE q.event_id = h.event_id), 0) AS tail,
       admitted_upto, coalesce(to_ms(admitted_at), 0) AS admitted_ms
  FROM event_head h WHERE event_id = $1;

-- name: read_draw
-- All that there is to publish about a draw; the seeds are secret until it was made. $1 event.
SELECT operator_seed, commitment, opened_at, beacon_chain, beacon_round, beacon, drawn_at, entry_count, final_head, seed
  FROM queue_draw WHERE event_id = $1;

-- name: read_chain
-- The entries of the draw in the order of their chain; their ids follow from the nonces. $1 event.
SELECT position, customer_id, nonce, joined_at FROM queue_entry
 WHERE event_id = $1 AND position IS NOT NULL ORDER BY position;

-- name: read_head
-- The head as it is. $1 event.
SELECT owner, term, revision FROM event_head WHERE event_id = $1;

-- name: unlocked_seats
-- Which of these seats nobody has locked. $1 event, $2 seats.
SELECT seat_index FROM seat WHERE event_id = $1 AND seat_index = ANY ($2) FOR UPDATE SKIP LOCKED;

-- name: neglected_events
-- Events with holds, people in the waiting room or pending orders that nobody alive owns. $1 at most so many.
SELECT h.event_id FROM event_head h
 WHERE (h.owner IS NULL OR node_is_dead(h.owner))
   AND (EXISTS (SELECT FROM hold WHERE hold.event_id = h.event_id)
        OR EXISTS (SELECT FROM queue_entry q WHERE q.event_id = h.event_id AND q.state <> 'out')
        OR EXISTS (SELECT FROM orders o WHERE o.event_id = h.event_id AND o.status = 'pending'))
 LIMIT $1;

-- name: commit_batch
-- One batch; see commit_batch_v4. Arrays of numbers come as text: asyncpg looks at each number of an array by itself,
-- which takes longer than all else about it.
SELECT * FROM commit_batch_v4($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                              $14::text::integer[], $15::text::smallint[], $16, $17::text::smallint[], $18,
                              $19, $20::text::bigint[], $21::text::bigint[], $22::text::bigint[],
                              $23::text::boolean[], $24, $25, $26,
                              $27, $28, $29::text::bigint[], $30::text::bigint[], $31::text::bigint[], $32,
                              $33::text::bigint[], $34::text::bigint[], $35::text::boolean[], $36);

-- name: look_up_commands
-- Which of these commands were accepted before. $1 event, $2 customers, $3 command ids.
SELECT j.customer_id, j.command_id, j.content_hash, j.answer
  FROM unnest($2::uuid[], $3::text[]) AS l(customer_id, command_id)
 CROSS JOIN LATERAL (
       SELECT * FROM journal
        WHERE event_id = $1 AND customer_id = l.customer_id AND command_id = l.command_id
        LIMIT 1) j;  -- see commit_batch_v4
