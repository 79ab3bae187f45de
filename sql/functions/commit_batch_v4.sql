-- Makes one batch of an event true, or nothing of it: one call, one round trip, autocommit.
--
-- outcome   committed   written; revision is the new one
--           known       nothing written: commands in `known` were accepted before
--           fenced      nothing written: (owner, term, revision) is not the batch's; the head is given as found
-- raises    55P03       event_head or seat rows are locked by somebody else
--           UB001       a row was not as the batch says: memory and database have parted
--
-- Orders, terms, reasons of blocks and the draw come as JSON (they are rare and wide), all else as arrays of equal length. Times
-- are Unix milliseconds.
CREATE OR REPLACE FUNCTION commit_batch_v4(
    p_event uuid, p_owner uuid, p_term bigint, p_revision bigint, p_at_ms bigint,
    p_lookup_customer uuid[], p_lookup_command text[],
    p_kind text[], p_customer uuid[], p_command text[], p_hash bytea[], p_seats text[], p_answer text[],
    p_seat integer[], p_from_state smallint[], p_from_holder uuid[], p_to_state smallint[], p_to_holder uuid[],
    p_hold_customer uuid[], p_hold_started_ms bigint[], p_hold_changed_ms bigint[], p_hold_expires_ms bigint[],
    p_hold_extended boolean[],
    p_orders jsonb, p_terms jsonb, p_blocks jsonb,
    p_queue_customer uuid[], p_queue_state text[], p_queue_joined_ms bigint[], p_queue_place bigint[],
    p_queue_position bigint[], p_queue_nonce bytea[], p_queue_until_ms bigint[], p_queue_admitted_ms bigint[],
    p_queue_has_missed boolean[], p_drawn jsonb,
    OUT outcome text, OUT head_owner uuid, OUT head_term bigint, OUT head_revision bigint, OUT known jsonb
) LANGUAGE plpgsql
-- The plans are the same for one command and for hundreds; making them anew took longer than running them. They are
-- made when nobody knows how large the tables will be: each row is to be searched for, never all of an event's read.
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
DECLARE
    at   timestamptz := from_ms(p_at_ms);
    done integer;
    block record;
BEGIN
    -- 1. The fence. FOR UPDATE, so that a claim waits for this batch or makes it fail.
    PERFORM FROM event_head h
      WHERE h.event_id = p_event AND h.owner = p_owner AND h.term = p_term AND h.revision = p_revision
        FOR UPDATE NOWAIT;
    IF NOT FOUND THEN
        outcome := 'fenced';
        SELECT h.owner, h.term, h.revision INTO head_owner, head_term, head_revision
          FROM event_head h WHERE h.event_id = p_event;
        RETURN;
    END IF;

    -- 2. Was a command accepted before? LIMIT keeps each look-up a search in the index of its own: as a join, where the
    --    journal was small when the plan was made, all that the event has ever accepted is read for each batch.
    IF cardinality(p_lookup_command) > 0 THEN
        SELECT jsonb_agg(jsonb_build_object(
                   'customer', j.customer_id, 'command_id', j.command_id,
                   'content_hash', encode(j.content_hash, 'base64'), 'frame', j.answer))
          INTO known
          FROM unnest(p_lookup_customer, p_lookup_command) AS l(customer_id, command_id)
         CROSS JOIN LATERAL (
               SELECT * FROM journal
                WHERE event_id = p_event AND customer_id = l.customer_id AND command_id = l.command_id
                LIMIT 1) j;
        IF known IS NOT NULL THEN
            outcome := 'known';
            RETURN;
        END IF;
    END IF;

    -- 3. The seats: locked in order, then moved; each must be as memory says.
    IF cardinality(p_seat) > 0 THEN
        PERFORM FROM seat s WHERE s.event_id = p_event AND s.seat_index = ANY (p_seat)
          ORDER BY s.seat_index FOR UPDATE NOWAIT;
        UPDATE seat s SET state = m.to_state, holder = m.to_holder
          FROM unnest(p_seat, p_from_state, p_from_holder, p_to_state, p_to_holder)
               AS m(seat_index, from_state, from_holder, to_state, to_holder)
         WHERE s.event_id = p_event AND s.seat_index = m.seat_index
           AND s.state = m.from_state AND s.holder IS NOT DISTINCT FROM m.from_holder;
        GET DIAGNOSTICS done = ROW_COUNT;
        IF done <> cardinality(p_seat) THEN
            RAISE EXCEPTION '% of % seats are as expected', done, cardinality(p_seat) USING ERRCODE = 'UB001';
        END IF;
    END IF;

    -- A hold without an end is one that ended.
    IF cardinality(p_hold_customer) > 0 THEN
        DELETE FROM hold h
         USING unnest(p_hold_customer, p_hold_expires_ms) AS m(customer_id, expires_ms)
         WHERE h.event_id = p_event AND h.customer_id = m.customer_id AND m.expires_ms IS NULL;
        INSERT INTO hold (event_id, customer_id, started_at, changed_at, expires_at, extended)
        SELECT p_event, m.customer_id, from_ms(m.started_ms), from_ms(m.changed_ms), from_ms(m.expires_ms),
               m.extended
          FROM unnest(p_hold_customer, p_hold_started_ms, p_hold_changed_ms, p_hold_expires_ms, p_hold_extended)
               AS m(customer_id, started_ms, changed_ms, expires_ms, extended)
         WHERE m.expires_ms IS NOT NULL
            ON CONFLICT (event_id, customer_id) DO UPDATE
           SET started_at = excluded.started_at, changed_at = excluded.changed_at,
               expires_at = excluded.expires_at, extended = excluded.extended;
    END IF;

    IF p_orders IS NOT NULL THEN
        PERFORM commit_orders_v1(p_event, at, p_orders);
    END IF;

    IF p_terms IS NOT NULL THEN
        UPDATE event e
           SET stage = p_terms->>'stage', on_sale_at = from_ms((p_terms->>'on_sale_at_ms')::bigint),
               event_at = from_ms((p_terms->>'event_at_ms')::bigint),
               max_tickets_per_user = (p_terms->>'max_tickets_per_user')::integer,
               orphan_rule = p_terms->>'orphan_rule',
               waiting_room_enabled = p_terms->>'queue_mode' <> 'off',
               waiting_room_mode = CASE WHEN p_terms->>'queue_mode' = 'off' THEN e.waiting_room_mode
                                        ELSE p_terms->>'queue_mode' END,
               max_concurrent_shoppers = (p_terms->>'max_concurrent_shoppers')::integer,
               admit_per_minute = (p_terms->>'admit_per_minute')::integer, updated_at = at
         WHERE e.id = p_event;
    END IF;

    -- Each step by itself, in order: a seat may be blocked, put on sale again and blocked anew. No reason: on sale.
    IF p_blocks IS NOT NULL THEN
        FOR block IN SELECT * FROM jsonb_to_recordset(p_blocks) AS b(organiser uuid, seats text, reason text) LOOP
            DELETE FROM seat_block s WHERE s.event_id = p_event AND s.seat_index = ANY (block.seats::integer[]);
            IF block.reason IS NOT NULL THEN
                INSERT INTO seat_block (event_id, seat_index, reason, blocked_by, blocked_at)
                SELECT p_event, b.seat_index, block.reason, block.organiser, at
                  FROM unnest(block.seats::integer[]) AS b(seat_index);
            END IF;
        END LOOP;
    END IF;

    -- The waiting room: null where nothing moves in it, which is nearly always so in a sale without one.
    IF p_queue_customer IS NOT NULL THEN
        PERFORM commit_queue_v1(p_event, p_queue_customer, p_queue_state, p_queue_joined_ms, p_queue_place,
                                p_queue_position, p_queue_nonce, p_queue_until_ms, p_queue_admitted_ms,
                                p_queue_has_missed, p_drawn);
    END IF;

    -- 4. The journal: what was accepted, with the answer, and what the clock did.
    INSERT INTO journal (event_id, revision, position, at, kind, customer_id, command_id, content_hash, seats,
                         answer)
    SELECT p_event, p_revision + 1, e.position, at, e.kind, e.customer_id, e.command_id, e.content_hash,
           e.seats::integer[], e.answer
      FROM unnest(p_kind, p_customer, p_command, p_hash, p_seats, p_answer) WITH ORDINALITY
           AS e(kind, customer_id, command_id, content_hash, seats, answer, position);

    -- 5. The new revision.
    UPDATE event_head h
       SET revision = p_revision + 1,
           available = h.available + d.available,
           held = h.held + d.held
      FROM (SELECT count(*) FILTER (WHERE t = 0) - count(*) FILTER (WHERE f = 0) AS available,
                   count(*) FILTER (WHERE t = 1) - count(*) FILTER (WHERE f = 1) AS held
              FROM unnest(p_from_state, p_to_state) AS m(f, t)) d
     WHERE h.event_id = p_event
    RETURNING h.revision INTO head_revision;
    outcome := 'committed';
END $$;
