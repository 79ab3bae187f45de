-- The advisory lock that a living node holds on a connection of its own.
CREATE OR REPLACE FUNCTION node_lock_key(p_node uuid) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT hashtextextended(p_node::text, 7407)
$$;

-- Dead: its lease ran out by this database's clock, or its connection is gone (a crash).
CREATE OR REPLACE FUNCTION node_is_dead(p_node uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM node WHERE id = p_node AND lease_until > clock_timestamp()) THEN
        RETURN true;
    END IF;
    RETURN pg_try_advisory_xact_lock_shared(node_lock_key(p_node));
END $$;
