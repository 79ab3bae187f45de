-- What an account has beside its password: a proven address, sessions that it can look at, tokens that come by mail,
-- browsers that it has signed in with before.

ALTER TABLE customer ADD COLUMN email_verified_at timestamptz;      -- NULL: nobody has shown to read mail there

-- id is what the owner calls the session: it is told, opens nothing, and does not follow from id_hash.
ALTER TABLE session
    ADD COLUMN id           uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    ADD COLUMN last_seen_at timestamptz NOT NULL DEFAULT now(),      -- up to some minutes late
    ADD COLUMN user_agent   text NOT NULL DEFAULT '',
    ADD COLUMN address      text NOT NULL DEFAULT '';

-- A single-use token that came by mail, known by its SHA-256. Used ones stay a while: the second use is told apart.
CREATE TABLE mail_token (
    token_hash  bytea PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customer,
    purpose     text NOT NULL CHECK (purpose IN ('reset_password', 'verify_email')),
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
CREATE INDEX mail_token_customer ON mail_token (customer_id);

-- A browser that has signed in as this customer, known by the SHA-256 of its cookie. It opens nothing: it has
-- guesses of its own, so that strangers who guess cannot keep the owner out.
CREATE TABLE device (
    device_hash  bytea NOT NULL,
    customer_id  uuid NOT NULL REFERENCES customer,
    signed_in_at timestamptz NOT NULL,
    PRIMARY KEY (device_hash, customer_id)
);
CREATE INDEX device_customer ON device (customer_id);
