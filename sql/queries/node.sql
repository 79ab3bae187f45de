-- name: register_node
-- A new incarnation of a server process. $1 id, $2 name, $3 seconds that it lives without a renewal.
INSERT INTO node (id, name, started_at, lease_until)
VALUES ($1, $2, clock_timestamp(), clock_timestamp() + make_interval(secs => $3));

-- name: renew_node
-- Live on; no row: the lease has run out and this incarnation is over. $1 id, $2 seconds.
UPDATE node SET lease_until = clock_timestamp() + make_interval(secs => $2)
 WHERE id = $1 AND lease_until > clock_timestamp()
RETURNING id;

-- name: end_node
-- A clean stop. $1 id.
DELETE FROM node WHERE id = $1;

-- name: forget_dead_nodes
-- Rows of processes that ended long ago and own nothing.
DELETE FROM node WHERE lease_until < clock_timestamp() - interval '1 day'
   AND NOT EXISTS (SELECT FROM event_head h WHERE h.owner = node.id);

-- name: take_node_lock
-- The advisory lock that tells others that this process is alive. $1 id.
SELECT pg_advisory_lock(node_lock_key($1));

-- name: ping
-- Is the other end of this connection still there?
SELECT 1;
