-- What is done about a single seat that a customer would leave alone, and why seats are not for sale.

ALTER TABLE event
    ADD COLUMN orphan_rule text NOT NULL DEFAULT 'warn' CHECK (orphan_rule IN ('off', 'warn', 'enforce'));

-- Why a seat is blocked, for the organiser. Seats that are blocked by the plan have no row.
CREATE TABLE seat_block (
    event_id   uuid NOT NULL,
    seat_index integer NOT NULL,
    reason     text NOT NULL,
    blocked_by uuid NOT NULL,                                      -- customer
    blocked_at timestamptz NOT NULL,
    PRIMARY KEY (event_id, seat_index)
);
