-- name: begin_session
-- Begins a session of a customer; NULL where it may not, else the sessions that ended for it.
SELECT begin_session($1, $2, $3, $4, $5, $6, $7, $8)

-- name: live_session
-- A session that has neither ended nor run out, with whose it is.
SELECT s.id_hash, s.customer_id, c.name, c.email, c.role, c.email_verified_at IS NOT NULL AS is_email_verified,
       s.expires_at
  FROM session s
  JOIN customer c ON c.id = s.customer_id
 WHERE s.id_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2

-- name: live_sessions
-- Which of these sessions have neither ended nor run out.
SELECT id_hash
  FROM session
 WHERE id_hash = ANY($1::bytea[]) AND ended_at IS NULL AND expires_at > $2

-- name: sessions_of_customer
-- The live sessions of a customer, the newest first.
SELECT id, id_hash, created_at, last_seen_at, expires_at, user_agent, address
  FROM session
 WHERE customer_id = $1 AND ended_at IS NULL AND expires_at > $2
 ORDER BY created_at DESC, id

-- name: session_of_customer
-- The hash of a live session by what its owner, and nobody else, calls it.
SELECT id_hash
  FROM session
 WHERE id = $1 AND customer_id = $2 AND ended_at IS NULL AND expires_at > $3

-- name: end_session
-- Ends a session and tells every server process; the first time counts.
WITH ended AS (
    UPDATE session
       SET ended_at = $2
     WHERE id_hash = $1 AND ended_at IS NULL
    RETURNING id_hash
)
SELECT tell_session_ended(id_hash) FROM ended

-- name: end_other_sessions
-- Ends the live sessions of a customer, all but one; answers which.
SELECT end_sessions($1, $2, $3)

-- name: note_sessions_seen
-- Notes when these sessions were last used. A row that somebody else is writing is left for the next time.
WITH seen AS (
    SELECT id_hash FROM session
     WHERE id_hash = ANY($1::bytea[]) AND last_seen_at < $2
       FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE session s
   SET last_seen_at = $2
  FROM seen
 WHERE s.id_hash = seen.id_hash

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
SELECT s.id_hash, s.customer_id, c.name, c.email, c.role, c.email_verified_at IS NOT NULL AS is_email_verified,
       s.expires_at
  FROM taken t
  JOIN session s ON s.id_hash = t.session_hash
  JOIN customer c ON c.id = s.customer_id
 WHERE t.expires_at > $2 AND s.ended_at IS NULL AND s.expires_at > $2

-- name: drop_old_tickets
-- Drops tickets that were never used. $1 run out by then, $2 at most so many.
DELETE FROM socket_ticket WHERE ticket_hash IN (
    SELECT ticket_hash FROM socket_ticket WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2
)

-- name: drop_old_sessions
-- Drops sessions, with their tickets. $1 run out by then, $2 at most so many.
DELETE FROM session WHERE id_hash IN (
    SELECT id_hash FROM session WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2
)
