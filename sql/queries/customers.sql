-- name: register_customer
-- Makes the account of a customer, unless the e-mail address has one already: then there is no row.
INSERT INTO customer (id, email, name, password_hash, role, created_at)
VALUES ($1, $2, $3, $4, 'user', $5)
ON CONFLICT (lower(email)) DO NOTHING
RETURNING id, email, name, role

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
