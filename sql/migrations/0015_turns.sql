-- How far the line of an event has come: an entry forgets its turn when it is given another place.
-- `admitted_upto` is the last place whose turn came, `admitted_at` when the last turn came; null: none yet.
ALTER TABLE event_head ADD COLUMN admitted_at timestamptz;
UPDATE event_head h SET admitted_upto = coalesce(t.upto, 0), admitted_at = t.at
  FROM (SELECT event_id, max(admitted_at) AS at, max(place) FILTER (WHERE state NOT IN ('lobby', 'waiting')) AS upto
          FROM queue_entry WHERE admitted_at IS NOT NULL GROUP BY event_id) t
 WHERE t.event_id = h.event_id;
UPDATE queue_entry SET admitted_at = NULL WHERE admitted_at < joined_at OR has_missed AND state IN ('waiting', 'out');
