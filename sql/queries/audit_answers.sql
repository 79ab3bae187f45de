-- What customers were told, beside what is stored: further checks of the auditor, in the form of audit.sql.

-- name: told_tables
-- Where the lines of answer files go, and what follows from them; all of it ends with the connection.
DROP TABLE IF EXISTS pg_temp.told CASCADE;
CREATE TEMP TABLE told (
    line        bigint NOT NULL,                                   -- in the order in which the files were given
    -- accepted; refused: for good; unanswered: it may have taken effect or not; cancelled, cancel_unanswered: orders
    kind        text NOT NULL,
    event_id    uuid NOT NULL,
    customer_id uuid NOT NULL,
    command_id  text,                                              -- null: about an order
    order_id    text,
    code        text,                                              -- of a refusal
    answer      jsonb                                              -- the accepted frame
);

CREATE OR REPLACE TEMP VIEW stored_answer AS
SELECT event_id, customer_id, command_id, kind, position,
       CASE WHEN pg_input_is_valid(answer, 'jsonb') THEN answer::jsonb END AS answer
  FROM journal WHERE command_id IS NOT NULL;

-- What took effect: as customers were told, and as they would have been if the answer had come.
CREATE TEMP VIEW told_effect AS
SELECT t.event_id, t.customer_id, e.answer, (e.answer->>'revision')::bigint AS revision, s.position, t.line
  FROM told t
  LEFT JOIN stored_answer s USING (event_id, customer_id, command_id),
       LATERAL (SELECT coalesce(t.answer, s.answer)) AS e(answer)
 WHERE t.kind IN ('accepted', 'unanswered') AND e.answer IS NOT NULL;

-- A customer holds what the last of these effects left: nothing after a checkout or after leaving the line.
CREATE TEMP VIEW told_hold AS
SELECT DISTINCT ON (event_id, customer_id) event_id, customer_id, revision, answer->'hold' AS hold
  FROM told_effect
 WHERE answer ?| ARRAY['hold', 'order'] OR answer #>> '{queue,status}' = 'not_in_queue'
 ORDER BY event_id, customer_id, revision DESC, position DESC NULLS FIRST, line DESC;

-- A customer has bought the seats of each order that was not cancelled.
CREATE TEMP VIEW told_ticket AS
SELECT DISTINCT f.event_id, f.customer_id, f.answer #>> '{order,order_id}' AS order_id, seat::bigint AS seat_index
  FROM told_effect f, jsonb_array_elements_text(f.answer #> '{order,seats}') AS seat
 WHERE f.answer #>> '{order,status}' = 'completed'
   AND NOT EXISTS (SELECT FROM told t
                    WHERE t.event_id = f.event_id AND t.customer_id = f.customer_id
                      AND t.order_id = f.answer #>> '{order,order_id}'
                      AND (t.kind = 'cancelled'
                           OR EXISTS (SELECT FROM orders o
                                       WHERE o.event_id = t.event_id AND o.id::text = t.order_id
                                         AND o.status IN ('cancelled', 'refunded'))));

-- name: told_counted
-- How much customers were told.
SELECT count(*) FILTER (WHERE kind = 'accepted') AS accepted_answers,
       count(*) FILTER (WHERE kind = 'refused') AS refusals,
       count(*) FILTER (WHERE kind = 'unanswered') AS unanswered_commands,
       count(*) FILTER (WHERE kind = 'cancelled') AS cancelled_orders
  FROM told

-- name: audit_told_accepted
-- Each command that was accepted is in the journal exactly once.
SELECT t.event_id, format('command %s of %s was accepted, it is stored %s times', t.command_id, t.customer_id,
                          count(j.command_id)) AS what
  FROM (SELECT DISTINCT event_id, customer_id, command_id FROM told WHERE kind = 'accepted') t
  LEFT JOIN journal j USING (event_id, customer_id, command_id)
 GROUP BY t.event_id, t.customer_id, t.command_id
HAVING count(j.command_id) <> 1

-- name: audit_told_answer
-- Each command that was accepted is stored with the answer that was given.
SELECT t.event_id, format('command %s of %s was answered with %s, %s is stored', t.command_id, t.customer_id,
                          t.answer, coalesce(s.answer::text, 'nothing that is an answer')) AS what
  FROM told t
  JOIN stored_answer s USING (event_id, customer_id, command_id)
 WHERE t.kind = 'accepted' AND s.answer IS DISTINCT FROM t.answer

-- name: audit_told_refused
-- No command that was refused in the end is in the journal.
SELECT t.event_id, format('command %s of %s was refused (%s), and it is stored', t.command_id, t.customer_id,
                          t.code) AS what
  FROM (SELECT DISTINCT ON (event_id, customer_id, command_id) *
          FROM told WHERE command_id IS NOT NULL
         ORDER BY event_id, customer_id, command_id, line DESC) t
 WHERE t.kind = 'refused'
   AND EXISTS (SELECT FROM journal j
                WHERE j.event_id = t.event_id AND j.customer_id = t.customer_id AND j.command_id = t.command_id)

-- name: audit_told_besides
-- The journal has nothing of these customers that nobody was told of. A cancel is known by its order; who joins
-- a line over REST is told a place, and no command.
SELECT s.event_id, format('command %s of %s (%s) is stored, and nobody was told of it', s.command_id,
                          s.customer_id, s.kind) AS what
  FROM stored_answer s
 WHERE s.customer_id IN (SELECT customer_id FROM told)
   AND NOT EXISTS (SELECT FROM told t
                    WHERE t.event_id = s.event_id AND t.customer_id = s.customer_id
                      AND t.command_id = s.command_id)
   AND NOT (s.kind = 'queue' AND s.command_id LIKE 'rest-%')
   -- Not `OR`, and not in parentheses: a join by hash is made of each of these, not a search of `told` for each row.
   AND NOT EXISTS (SELECT FROM told t
                    WHERE s.kind = 'cancelled' AND t.event_id = s.event_id AND t.customer_id = s.customer_id
                      AND t.order_id = s.answer #>> '{order,order_id}')

-- name: audit_told_seat
-- Each customer holds and has bought the seats that the answers say. A hold that has run out since then is over.
SELECT event_id, format('seat %s of %s: told %s, stored %s', seat_index, customer_id,
                        coalesce((ARRAY['held', 'sold'])[t.state], 'nothing'),
                        coalesce((ARRAY['held', 'sold'])[s.state], 'nothing')) AS what
  FROM (SELECT h.event_id, h.customer_id, seat::bigint AS seat_index, 1 AS state
          FROM told_hold h, jsonb_array_elements_text(h.hold->'seats') AS seat
         WHERE NOT EXISTS (SELECT FROM journal e
                            WHERE e.event_id = h.event_id AND e.customer_id = h.customer_id AND e.kind = 'expired'
                              AND e.revision > h.revision AND seat::integer = ANY (e.seats)
                              AND to_ms(e.at) >= (h.hold->>'expires_at_ms')::bigint)
         UNION SELECT event_id, customer_id, seat_index, 2 FROM told_ticket) t
  FULL JOIN (SELECT event_id, holder AS customer_id, seat_index::bigint, state
               FROM seat WHERE holder IN (SELECT customer_id FROM told)) s
       USING (event_id, customer_id, seat_index)
 WHERE t.state IS DISTINCT FROM s.state

-- name: audit_told_ticket
-- Each customer has valid tickets for the orders that the answers say.
SELECT event_id, format('order %s of %s, seat %s: %s', order_id, customer_id, seat_index,
                        CASE WHEN t.is_told THEN 'told, and there is no valid ticket'
                             ELSE 'a valid ticket, and nobody was told of it' END) AS what
  FROM (SELECT *, true AS is_told FROM told_ticket) t
  FULL JOIN (SELECT event_id, customer_id, order_id::text, seat_index::bigint, true AS is_stored
               FROM ticket WHERE status = 'valid' AND customer_id IN (SELECT customer_id FROM told)) s
       USING (event_id, customer_id, order_id, seat_index)
 WHERE t.is_told IS DISTINCT FROM s.is_stored
