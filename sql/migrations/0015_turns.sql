-- How far the line of an event has come: an entry forgets its turn when it is given another place.
ALTER TABLE queue_draw
    ADD COLUMN admitted_upto bigint NOT NULL DEFAULT 0,            -- the last place whose turn came
    ADD COLUMN admitted_at   timestamptz;                          -- when the last turn came; null: none yet
UPDATE queue_draw d SET admitted_upto = coalesce(t.upto, 0), admitted_at = t.at
  FROM (SELECT event_id, max(admitted_at) AS at, max(place) FILTER (WHERE state NOT IN ('lobby', 'waiting')) AS upto
          FROM queue_entry WHERE admitted_at IS NOT NULL GROUP BY event_id) t
 WHERE t.event_id = d.event_id;
UPDATE queue_entry SET admitted_at = NULL WHERE admitted_at < joined_at OR has_missed AND state IN ('waiting', 'out');
