-- Idempotency-Keys are dropped when they have run out (drop_old_keys).
CREATE INDEX idempotency_created ON idempotency (created_at);
