-- name: lock_signing_keys
-- One at a time makes a signing key; held until the end of the transaction.
SELECT pg_advisory_xact_lock(740741)

-- name: signing_keys
-- All keys, the newest first; the one that signs comes before those that are retired.
SELECT key_id, public_key, private_key, created_at, retired_at
  FROM signing_key
 ORDER BY retired_at IS NULL DESC, created_at DESC, key_id

-- name: add_signing_key
-- A new key, which signs from now on.
INSERT INTO signing_key (key_id, public_key, private_key, created_at) VALUES ($1, $2, $3, $4)

-- name: retire_signing_keys
-- No key signs any more.
UPDATE signing_key SET retired_at = $1 WHERE retired_at IS NULL

-- name: keep_secret
-- The first to ask makes it. $1 what for, $2 32 random bytes.
INSERT INTO shared_secret (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: shared_secret
-- A secret that was made. $1 what for.
SELECT value FROM shared_secret WHERE name = $1
