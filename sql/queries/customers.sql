-- name: register_customer
-- Makes the account of a customer, unless the e-mail address has one already: then there is no row.
INSERT INTO customer (id, email, name, password_hash, role, created_at)
VALUES ($1, $2, $3, $4, 'user', $5)
ON CONFLICT (lower(email)) DO NOTHING
RETURNING id, email, name, role, false AS is_email_verified

-- name: is_email_taken
-- Has this e-mail address an account, whatever its case?
SELECT EXISTS (SELECT FROM customer WHERE lower(email) = lower($1))

-- name: customer_by_email
-- The account behind an e-mail address, whatever its case.
SELECT id, email, name, role, password_hash
  FROM customer
 WHERE lower(email) = lower($1)

-- name: set_password_hash
-- Stores a password hashed anew, unless it was changed since it was read.
UPDATE customer
   SET password_hash = $3
 WHERE id = $1 AND password_hash = $2

-- name: login_account
-- The account behind an e-mail address as it was typed. There is always a row: `asked` is the address in the one
-- form that counts, the rest is NULL where nobody has it. $2 is a browser: has this account signed in with it, has
-- anybody?
SELECT asked.email AS asked, c.id, c.email, c.name, c.role, c.password_hash,
       c.email_verified_at IS NOT NULL AS is_email_verified,
       EXISTS (SELECT FROM device d WHERE d.customer_id = c.id AND d.device_hash = $2) AS knows_device,
       EXISTS (SELECT FROM device d WHERE d.device_hash = $2) AS is_device_ours
  FROM (SELECT lower($1) AS email) asked
  LEFT JOIN customer c ON lower(c.email) = asked.email

-- name: password_of
-- What an account's password is compared with.
SELECT password_hash FROM customer WHERE id = $1

-- name: is_email_verified
-- Is an account's address proven?
SELECT email_verified_at IS NOT NULL FROM customer WHERE id = $1

-- name: change_own_password
-- Another password instead of the one that was shown, and a session in place of all others; answers the sessions that
-- ended, NULL where the password is another.
SELECT change_own_password($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: reset_password
-- Another password for a mailed token; answers the sessions that ended, NULL where the token is none.
SELECT reset_password($1, $2, $3)

-- name: make_mail_token
-- Makes a token that is about to be mailed.
INSERT INTO mail_token (token_hash, customer_id, purpose, expires_at)
VALUES ($1, $2, $3, $4)

-- name: mail_token
-- What a mailed token is worth, and whose it is.
SELECT t.used_at IS NOT NULL AS is_used, t.expires_at <= $3 AS is_over, c.id, c.email, c.name
  FROM mail_token t
  JOIN customer c ON c.id = t.customer_id
 WHERE t.token_hash = $1 AND t.purpose = $2

-- name: verify_email
-- Uses a mailed token up, and has the address proven; no row: it is unknown, used or old.
WITH used AS (
    UPDATE mail_token SET used_at = $2
     WHERE token_hash = $1 AND purpose = 'verify_email' AND used_at IS NULL AND expires_at > $2
    RETURNING customer_id
)
UPDATE customer c
   SET email_verified_at = coalesce(c.email_verified_at, $2)
  FROM used
 WHERE c.id = used.customer_id
RETURNING c.id

-- name: drop_old_mail_tokens
-- Drops tokens. $1 run out by then, $2 at most so many.
DELETE FROM mail_token WHERE token_hash IN (
    SELECT token_hash FROM mail_token WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2
)

-- name: remember_device
-- A browser has signed in as this customer. $4: how many an account may know; the longest unused go.
WITH others AS (
    SELECT device_hash FROM device
     WHERE customer_id = $1 AND device_hash <> $2
     ORDER BY signed_in_at DESC OFFSET $4::integer - 1
), gone AS (
    DELETE FROM device d USING others o WHERE d.customer_id = $1 AND d.device_hash = o.device_hash
)
INSERT INTO device (customer_id, device_hash, signed_in_at)
VALUES ($1, $2, $3)
ON CONFLICT (device_hash, customer_id) DO UPDATE SET signed_in_at = excluded.signed_in_at

-- name: drop_old_devices
-- Drops browsers. $1 not signed in since, $2 at most so many.
DELETE FROM device WHERE (device_hash, customer_id) IN (
    SELECT device_hash, customer_id FROM device WHERE signed_in_at <= $1 ORDER BY signed_in_at LIMIT $2
)
