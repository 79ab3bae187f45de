-- What customers see of an event's stage. sold_out: every seat is sold or blocked.
CREATE OR REPLACE FUNCTION event_status(
    p_stage text, p_on_sale_at timestamptz, p_event_at timestamptz,
    p_seat_count integer, p_available integer, p_held integer, p_now timestamptz
) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_stage IN ('completed', 'cancelled') THEN p_stage
        WHEN p_now >= p_event_at THEN 'completed'
        WHEN p_stage = 'scheduled' AND p_now < p_on_sale_at THEN 'upcoming'
        WHEN p_seat_count > 0 AND p_available = 0 AND p_held = 0 THEN 'sold_out'
        ELSE 'on_sale'
    END
$$;
