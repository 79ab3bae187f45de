-- The waiting room: how customers get in, who is in it, and what the draw is made of.

ALTER TABLE event
    ADD COLUMN waiting_room_mode text NOT NULL DEFAULT 'draw' CHECK (waiting_room_mode IN ('fifo', 'draw', 'closed')),
    ADD COLUMN admit_per_minute integer NOT NULL DEFAULT 0 CHECK (admit_per_minute >= 0);    -- 0: no limit

-- A customer in the waiting room of an event: one row for both, however often somebody comes again.
CREATE TABLE queue_entry (
    event_id    uuid NOT NULL,
    customer_id uuid NOT NULL,
    -- lobby -> waiting: by the draw, which writes no entries: a drawn entry is still 'lobby' here until it moves
    -- waiting -> active, waiting -> called -> active: the turn came; called -> waiting: missed it, once; any -> out
    state       text NOT NULL CHECK (state IN ('lobby', 'waiting', 'called', 'active', 'out')),
    joined_at   timestamptz NOT NULL,
    place       bigint,                                            -- null: not drawn, or as drawn
    position    bigint,                                            -- in the chain of the draw; stays for good
    nonce       bytea NOT NULL,                                    -- of the entry's id; stays for good
    until_at    timestamptz,                                       -- of an admission or a call
    admitted_at timestamptz,                                       -- when the turn came
    has_missed  boolean NOT NULL,
    PRIMARY KEY (event_id, customer_id),
    CHECK ((until_at IS NOT NULL) = (state IN ('called', 'active')))
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX queue_entry_position ON queue_entry (event_id, position) WHERE position IS NOT NULL;
CREATE INDEX queue_entry_in_room ON queue_entry (event_id) WHERE state <> 'out';

-- What the draw of an event is made of. The operator's seed is secret until drawn_at; its commitment is not.
CREATE TABLE queue_draw (
    event_id      uuid PRIMARY KEY,
    operator_seed bytea NOT NULL CHECK (length(operator_seed) = 32),
    commitment    bytea NOT NULL CHECK (length(commitment) = 32),
    opened_at     timestamptz NOT NULL,                            -- of the lobby, with the commitment
    beacon_chain  bytea,                                           -- null: no beacon
    beacon_round  bigint,
    beacon        bytea,                                           -- once its round has come
    drawn_at      timestamptz,
    entry_count   bigint,                                          -- when the lobby closed
    final_head    bytea,
    seed          bytea,
    CHECK ((drawn_at IS NULL) = (seed IS NULL))
);
