-- Gives an account another password and ends its sessions, all but one; answers which. The links that were mailed
-- for this and the known browsers go, too: whoever knew the old password may have had a part in them.
-- NULL, and nothing done: the password is no longer the one that was shown.
CREATE OR REPLACE FUNCTION change_password(
    p_customer uuid, p_old_hash text, p_new_hash text, p_kept_session bytea, p_kept_device bytea, p_at timestamptz
) RETURNS bytea[] LANGUAGE plpgsql AS $$
BEGIN
    UPDATE customer SET password_hash = p_new_hash WHERE id = p_customer AND password_hash = p_old_hash;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE mail_token SET expires_at = p_at
     WHERE customer_id = p_customer AND purpose = 'reset_password' AND used_at IS NULL AND expires_at > p_at;
    DELETE FROM device WHERE customer_id = p_customer AND device_hash IS DISTINCT FROM p_kept_device;
    RETURN end_sessions(p_customer, p_kept_session, p_at);
END $$;

-- Gives an account another password, ends all of its sessions and begins one in their place: the id of the session
-- that asked may have been copied. Answers which ended. NULL, and nothing done: as above.
CREATE OR REPLACE FUNCTION change_own_password(
    p_customer uuid, p_old_hash text, p_new_hash text, p_kept_device bytea, p_id_hash bytea,
    p_user_agent text, p_address text, p_at timestamptz, p_expires_at timestamptz, p_live_max integer
) RETURNS bytea[] LANGUAGE plpgsql AS $$
DECLARE
    hashes bytea[] := change_password(p_customer, p_old_hash, p_new_hash, NULL, p_kept_device, p_at);
BEGIN
    IF hashes IS NOT NULL THEN
        PERFORM begin_session(
            p_id_hash, p_customer, p_new_hash, p_user_agent, p_address, p_at, p_expires_at, p_live_max
        );
    END IF;
    RETURN hashes;
END $$;

-- Uses a mailed token up for another password; its address is proven by that. Of two that come at once, one does it.
-- NULL, and nothing done: the token is unknown, used or old.
CREATE OR REPLACE FUNCTION reset_password(p_token_hash bytea, p_new_hash text, p_at timestamptz) RETURNS bytea[]
LANGUAGE plpgsql AS $$
DECLARE
    whose uuid;
    was   text;
BEGIN
    UPDATE mail_token SET used_at = p_at
     WHERE token_hash = p_token_hash AND purpose = 'reset_password' AND used_at IS NULL AND expires_at > p_at
    RETURNING customer_id INTO whose;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE customer SET email_verified_at = coalesce(email_verified_at, p_at) WHERE id = whose
    RETURNING password_hash INTO was;
    RETURN change_password(whose, was, p_new_hash, NULL, NULL, p_at);
END $$;
