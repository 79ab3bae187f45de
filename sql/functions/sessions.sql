-- Tells every server process which session has ended (`server/people/session_news.py` listens).
CREATE OR REPLACE FUNCTION tell_session_ended(p_id_hash bytea) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('session_ended', encode(p_id_hash, 'hex'))
$$;

-- Ends the live sessions of a customer, all but one (NULL: all of them); answers which.
CREATE OR REPLACE FUNCTION end_sessions(p_customer uuid, p_kept bytea, p_at timestamptz) RETURNS bytea[]
LANGUAGE plpgsql AS $$
DECLARE
    hashes bytea[];
BEGIN
    WITH ended AS (
        UPDATE session SET ended_at = p_at
         WHERE customer_id = p_customer AND ended_at IS NULL AND expires_at > p_at AND id_hash IS DISTINCT FROM p_kept
        RETURNING id_hash
    )
    SELECT coalesce(array_agg(id_hash), '{}') INTO hashes FROM ended;
    PERFORM tell_session_ended(id_hash) FROM unnest(hashes) id_hash;
    RETURN hashes;
END $$;

-- Begins a session, and ends the oldest where an account has more than p_live_max; answers which ended. NULL, and
-- nothing done: the account is gone, or its password is no longer the one that was shown (NULL: none was).
CREATE OR REPLACE FUNCTION begin_session(
    p_id_hash bytea, p_customer uuid, p_password_hash text, p_user_agent text, p_address text,
    p_at timestamptz, p_expires_at timestamptz, p_live_max integer
) RETURNS bytea[] LANGUAGE plpgsql AS $$
DECLARE
    hashes bytea[];
BEGIN
    -- Locks out a change of the password under way: it ends the sessions that it finds, and would not find this one.
    PERFORM FROM customer
      WHERE id = p_customer AND (p_password_hash IS NULL OR password_hash = p_password_hash)
        FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO session (id_hash, customer_id, created_at, last_seen_at, expires_at, user_agent, address)
    VALUES (p_id_hash, p_customer, p_at, p_at, p_expires_at, p_user_agent, p_address);
    WITH surplus AS (
        SELECT id_hash FROM session
         WHERE customer_id = p_customer AND ended_at IS NULL AND expires_at > p_at AND id_hash <> p_id_hash
         ORDER BY created_at DESC OFFSET p_live_max - 1
    ), ended AS (
        UPDATE session s SET ended_at = p_at FROM surplus WHERE s.id_hash = surplus.id_hash RETURNING s.id_hash
    )
    SELECT coalesce(array_agg(id_hash), '{}') INTO hashes FROM ended;
    PERFORM tell_session_ended(id_hash) FROM unnest(hashes) id_hash;
    RETURN hashes;
END $$;
