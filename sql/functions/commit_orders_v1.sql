-- The part of a batch that is about orders. Each is given as it now is; what it was follows from its new status:
-- pending: it begins here; completed, payment_failed: it was pending; cancelled: it was completed.
-- raises UB001 when an order or one of its tickets was not.
CREATE OR REPLACE FUNCTION commit_orders_v1(p_event uuid, p_at timestamptz, p_orders jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    o      record;
    was    text;
    done   integer;
BEGIN
    FOR o IN SELECT * FROM jsonb_to_recordset(p_orders) AS x(
        order_id uuid, customer uuid, status text, seats integer[], prices_cents integer[], total_cents bigint,
        currency text, payment_method text, command_id text, content_hash text, payment_id text, failure text,
        idempotency_key text, request_hash text)
    LOOP
        IF o.status = 'pending' THEN
            INSERT INTO orders (event_id, id, customer_id, status, total_cents, currency, payment_method,
                                command_id, content_hash, created_at, updated_at)
            VALUES (p_event, o.order_id, o.customer, o.status, o.total_cents, o.currency, o.payment_method,
                    o.command_id, decode(o.content_hash, 'base64'), p_at, p_at);
            INSERT INTO order_item (event_id, order_id, seat_index, id, price_cents)
            SELECT p_event, o.order_id, i.seat_index, gen_random_uuid(), i.price_cents
              FROM unnest(o.seats, o.prices_cents) AS i(seat_index, price_cents);
            INSERT INTO payment_attempt (event_id, order_id, id, status, amount_cents, currency, method, created_at)
            VALUES (p_event, o.order_id, o.order_id, 'wanted', o.total_cents, o.currency, o.payment_method, p_at);
            IF o.idempotency_key IS NOT NULL THEN
                INSERT INTO idempotency (customer_id, key, request_hash, event_id, order_id, created_at)
                VALUES (o.customer, o.idempotency_key, decode(o.request_hash, 'base64'), p_event, o.order_id, p_at)
                -- Two nodes at once: the first one keeps the key. One that has run out is new again.
                ON CONFLICT (customer_id, key) DO UPDATE
                   SET request_hash = excluded.request_hash, event_id = excluded.event_id,
                       order_id = excluded.order_id, created_at = excluded.created_at
                 WHERE idempotency.created_at <= p_at - interval '48 hours';
            END IF;
            CONTINUE;
        END IF;

        was := CASE WHEN o.status = 'cancelled' THEN 'completed' ELSE 'pending' END;
        UPDATE orders SET status = o.status, updated_at = p_at,
                          payment_id = coalesce(o.payment_id, payment_id),
                          failure = coalesce(o.failure, failure),
                          completed_at = CASE WHEN o.status = 'completed' THEN p_at ELSE completed_at END
         WHERE event_id = p_event AND id = o.order_id AND status = was;
        GET DIAGNOSTICS done = ROW_COUNT;
        IF done <> 1 THEN
            RAISE EXCEPTION 'order % is not %', o.order_id, was USING ERRCODE = 'UB001';
        END IF;

        IF o.status = 'completed' THEN
            INSERT INTO ticket (event_id, id, order_id, seat_index, customer_id, status, created_at)
            SELECT p_event, gen_random_uuid(), o.order_id, seat_index, o.customer, 'valid', p_at
              FROM unnest(o.seats) AS seat_index;
        ELSIF o.status = 'cancelled' THEN
            UPDATE ticket SET status = 'void'
             WHERE event_id = p_event AND order_id = o.order_id AND status = 'valid';
            GET DIAGNOSTICS done = ROW_COUNT;
            IF done <> cardinality(o.seats) THEN
                RAISE EXCEPTION 'order % has % valid tickets', o.order_id, done USING ERRCODE = 'UB001';
            END IF;
        END IF;
        IF was = 'pending' THEN
            UPDATE payment_attempt
               SET status = CASE WHEN o.status = 'completed' THEN 'succeeded' ELSE 'declined' END,
                   payment_id = o.payment_id, settled_at = p_at
             WHERE event_id = p_event AND order_id = o.order_id AND status = 'wanted';
        END IF;
    END LOOP;
END $$;
