-- Secrets that all nodes share and nobody else knows; made at first use.
CREATE TABLE shared_secret (
    name       text PRIMARY KEY,                                   -- what it is for
    value      bytea NOT NULL CHECK (length(value) = 32),
    created_at timestamptz NOT NULL DEFAULT now()
);
