-- A time from Unix milliseconds.
CREATE OR REPLACE FUNCTION from_ms(p_ms bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT timestamptz 'epoch' + p_ms * interval '1 millisecond'
$$;

-- Unix milliseconds of a time.
CREATE OR REPLACE FUNCTION to_ms(p_at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT (extract(epoch FROM p_at) * 1000)::bigint
$$;
