-- The Ed25519 keys with which this installation signs tickets and receipts: all nodes share them. One without
-- `retired_at` signs; a retired one signs nothing more, and is kept so that what it has signed can be verified.
CREATE TABLE signing_key (
    key_id      text PRIMARY KEY,                                  -- 16 hex digits: the begin of SHA-256(public_key)
    public_key  bytea NOT NULL CHECK (length(public_key) = 32),
    private_key bytea NOT NULL CHECK (length(private_key) = 32),
    created_at  timestamptz NOT NULL,
    retired_at  timestamptz
);
CREATE UNIQUE INDEX signing_key_in_use ON signing_key ((true)) WHERE retired_at IS NULL;
