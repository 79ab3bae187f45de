-- The part of a batch that is about the waiting room: entries as they now are, and the draw when it was made.
-- raises UB001 when a draw was made before, or when what stays for good would change.
CREATE OR REPLACE FUNCTION commit_queue_v1(
    p_event uuid, p_customer uuid[], p_state text[], p_joined_ms bigint[], p_place bigint[], p_position bigint[],
    p_nonce bytea[], p_until_ms bigint[], p_admitted_ms bigint[], p_has_missed boolean[], p_drawn jsonb
) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
DECLARE
    done integer;
BEGIN
    IF p_drawn IS NOT NULL AND NOT p_drawn ? 'seed' THEN
        UPDATE queue_draw SET closed_at = from_ms((p_drawn->>'at_ms')::bigint)
         WHERE event_id = p_event AND drawn_at IS NULL AND closed_at IS NULL;
        GET DIAGNOSTICS done = ROW_COUNT;
        IF done <> 1 THEN
            RAISE EXCEPTION 'the lobby was closed before' USING ERRCODE = 'UB001';
        END IF;
    ELSIF p_drawn IS NOT NULL THEN
        UPDATE queue_draw
           SET drawn_at = from_ms((p_drawn->>'at_ms')::bigint), entry_count = (p_drawn->>'entries')::bigint,
               final_head = decode(p_drawn->>'head', 'base64'), seed = decode(p_drawn->>'seed', 'base64'),
               beacon_round = (p_drawn->'round'->>'number')::bigint,
               beacon_round_at = from_ms((p_drawn->'round'->>'at_ms')::bigint),
               beacon = decode(p_drawn->'round'->>'value', 'base64'),
               beacon_signature = decode(p_drawn->'round'->>'signature', 'base64')
         WHERE event_id = p_event AND drawn_at IS NULL;
        GET DIAGNOSTICS done = ROW_COUNT;
        IF done <> 1 THEN
            RAISE EXCEPTION 'the draw was made before' USING ERRCODE = 'UB001';
        END IF;
    END IF;
    INSERT INTO queue_entry AS q (event_id, customer_id, state, joined_at, place, position, nonce, until_at,
                                  admitted_at, has_missed)
    SELECT p_event, m.customer_id, m.state, from_ms(m.joined_ms), m.place, m.position, m.nonce, from_ms(m.until_ms),
           from_ms(m.admitted_ms), m.has_missed
      FROM unnest(p_customer, p_state, p_joined_ms, p_place, p_position, p_nonce, p_until_ms, p_admitted_ms,
                  p_has_missed)
           AS m(customer_id, state, joined_ms, place, position, nonce, until_ms, admitted_ms, has_missed)
        ON CONFLICT (event_id, customer_id) DO UPDATE
       SET state = excluded.state, joined_at = excluded.joined_at, place = excluded.place,
           position = excluded.position, nonce = excluded.nonce,
           until_at = excluded.until_at, has_missed = excluded.has_missed, admitted_at = excluded.admitted_at
     WHERE q.position IS NULL OR (q.position = excluded.position AND q.nonce = excluded.nonce);
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> cardinality(p_customer) THEN
        RAISE EXCEPTION '% of % entries are as expected', done, cardinality(p_customer) USING ERRCODE = 'UB001';
    END IF;
    UPDATE event_head h
       SET admitted_upto = greatest(h.admitted_upto, t.upto), admitted_at = greatest(h.admitted_at, from_ms(t.at_ms))
      FROM (SELECT max(m.place) AS upto, max(m.admitted_ms) AS at_ms
              FROM unnest(p_place, p_admitted_ms) AS m(place, admitted_ms)
             WHERE m.admitted_ms IS NOT NULL) t
     WHERE h.event_id = p_event
       AND (t.upto > h.admitted_upto OR from_ms(t.at_ms) > coalesce(h.admitted_at, '-infinity'));
END $$;
