-- A time from Unix milliseconds. A sum with an interval would depend on the time zone for PostgreSQL, so that it could
-- not put this in place of the call.
CREATE OR REPLACE FUNCTION from_ms(p_ms bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT to_timestamp(p_ms::double precision / 1000)
$$;

-- Unix milliseconds of a time.
CREATE OR REPLACE FUNCTION to_ms(p_at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT (extract(epoch FROM p_at) * 1000)::bigint
$$;
