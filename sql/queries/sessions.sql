-- name: create_session
-- Begins a session of a customer.
INSERT INTO session (id_hash, customer_id, created_at, expires_at)
VALUES ($1, $2, $3, $4)

-- name: live_session
-- A session that has neither ended nor run out, with whose it is.
SELECT s.id_hash, s.customer_id, c.name, c.email, c.role, s.expires_at
  FROM session s
  JOIN customer c ON c.id = s.customer_id
 WHERE s.id_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2

-- name: live_sessions
-- Which of these sessions have neither ended nor run out.
SELECT id_hash
  FROM session
 WHERE id_hash = ANY($1::bytea[]) AND ended_at IS NULL AND expires_at > $2

-- name: end_session
-- Ends a session; the first time counts.
UPDATE session
   SET ended_at = $2
 WHERE id_hash = $1 AND ended_at IS NULL

-- name: make_socket_ticket
-- Makes a single-use ticket, unless its session has ended meanwhile.
INSERT INTO socket_ticket (ticket_hash, session_hash, expires_at)
SELECT $1, id_hash, $3
  FROM session
 WHERE id_hash = $2 AND ended_at IS NULL

-- name: take_socket_ticket
-- Uses a ticket up, and answers its session if both are alive. Of two that come at once, one gets a row.
WITH taken AS (
    DELETE FROM socket_ticket WHERE ticket_hash = $1 RETURNING session_hash, expires_at
)
SELECT s.id_hash, s.customer_id, c.name, c.email, c.role, s.expires_at
  FROM taken t
  JOIN session s ON s.id_hash = t.session_hash
  JOIN customer c ON c.id = s.customer_id
 WHERE t.expires_at > $2 AND s.ended_at IS NULL AND s.expires_at > $2

-- name: drop_old_tickets
-- Drops the tickets that were never used.
DELETE FROM socket_ticket WHERE expires_at <= $1

-- name: drop_old_sessions
-- Drops the sessions that ran out before this moment, with their tickets.
DELETE FROM session WHERE expires_at <= $1
