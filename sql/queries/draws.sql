-- name: lobbies_that_grew
-- Draws with entries that are in no published head yet, and the newest head of each; null: none was published.
SELECT d.event_id, d.commitment, d.beacon_chain, h.count, h.head
  FROM queue_draw d
  LEFT JOIN LATERAL (SELECT count, head FROM draw_head WHERE event_id = d.event_id ORDER BY count DESC LIMIT 1) h
    ON true
 WHERE EXISTS (SELECT FROM queue_entry e WHERE e.event_id = d.event_id AND e.position > coalesce(h.count, 0))

-- name: chain_after
-- Some of the chain after a position: positions and nonces, in order. $1 event, $2 position, $3 at most so many.
SELECT position, nonce FROM queue_entry
 WHERE event_id = $1 AND position > $2 ORDER BY position LIMIT $3

-- name: publish_head
-- Publish a head; the first time counts.
INSERT INTO draw_head (event_id, count, head, at) VALUES ($1, $2, $3, clock_timestamp()) ON CONFLICT DO NOTHING

-- name: published_heads
-- All heads that were published, in order. $1 event.
SELECT count, head, at FROM draw_head WHERE event_id = $1 ORDER BY count

-- name: head_before
-- The newest head that was published for fewer entries than this. $1 event, $2 count.
SELECT count, head FROM draw_head WHERE event_id = $1 AND count < $2 ORDER BY count DESC LIMIT 1

-- name: own_entry
-- A customer's entry in the draw, and what it was made under. $1 event, $2 customer.
SELECT e.position, e.nonce, e.joined_at, d.operator_seed, d.commitment, d.beacon_chain
  FROM queue_entry e JOIN queue_draw d ON d.event_id = e.event_id
 WHERE e.event_id = $1 AND e.customer_id = $2 AND e.position IS NOT NULL

-- name: draw_to_publish
-- A draw with when its lobby closes; none for an event without a draw, or whose lobby was never opened. $1 event.
SELECT d.operator_seed, d.commitment, d.opened_at, d.beacon_chain, d.beacon_url, d.beacon_round, d.beacon_round_at,
       d.beacon, d.beacon_signature, d.closed_at, d.drawn_at,
       d.entry_count, d.final_head, d.seed, e.on_sale_at, clock_timestamp() AS now,
       (SELECT coalesce(max(position), 0) FROM queue_entry q WHERE q.event_id = d.event_id) AS chained
  FROM queue_draw d JOIN event e ON e.id = d.event_id
 WHERE d.event_id = $1
   AND (e.waiting_room_enabled AND e.waiting_room_mode = 'draw'
        OR EXISTS (SELECT FROM queue_entry q WHERE q.event_id = d.event_id AND q.position IS NOT NULL))

-- name: earlier_draws
-- The draws of an event that do not count any more. $1 event.
SELECT commitment, final_head, coalesce(entry_count, 0) AS entry_count, replaced_at
  FROM earlier_draw WHERE event_id = $1 ORDER BY replaced_at

-- name: lobbies_to_open
-- Events with a draw to come whose lobby is not open yet.
SELECT e.id FROM event e
 WHERE e.waiting_room_enabled AND e.waiting_room_mode = 'draw' AND e.on_sale_at > clock_timestamp()
   AND e.stage = 'scheduled'
   AND NOT EXISTS (SELECT FROM queue_draw d WHERE d.event_id = e.id);

-- name: name_round
-- Publish which round of the beacon a closed lobby waits for. $1 event, $2 round, $3 when it is published.
UPDATE queue_draw SET beacon_round = $2, beacon_round_at = $3
 WHERE event_id = $1 AND drawn_at IS NULL AND beacon_round IS DISTINCT FROM $2;

-- name: named_relay
-- The relay of the beacon that a lobby named. $1 event.
SELECT beacon_url FROM queue_draw WHERE event_id = $1
