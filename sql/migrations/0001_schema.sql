-- The first schema. Every key that a sale touches leads with event_id, so that events can later be spread over
-- databases. Money is integer cents, time is timestamptz.

-- A customer is an account; admins and staff are customers with another role.
CREATE TABLE customer (
    id            uuid PRIMARY KEY,
    email         text NOT NULL,
    name          text NOT NULL,
    password_hash text NOT NULL,                                  -- argon2id
    role          text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'staff', 'admin')),
    created_at    timestamptz NOT NULL
);
CREATE UNIQUE INDEX customer_email ON customer (lower(email));

-- A session is known by the SHA-256 of its id; the id itself is stored nowhere.
CREATE TABLE session (
    id_hash     bytea PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customer,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    ended_at    timestamptz                                        -- logged out
);
CREATE INDEX session_customer ON session (customer_id);

-- A single-use ticket for a socket, known by its SHA-256; taken by DELETE … RETURNING.
CREATE TABLE socket_ticket (
    ticket_hash  bytea PRIMARY KEY,
    session_hash bytea NOT NULL REFERENCES session ON DELETE CASCADE,
    expires_at   timestamptz NOT NULL
);

CREATE TABLE venue (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    address    text NOT NULL,
    city       text NOT NULL,
    state      text,
    country    text NOT NULL,
    capacity   integer NOT NULL,
    image_url  text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE section (
    id               uuid PRIMARY KEY,
    venue_id         uuid NOT NULL REFERENCES venue,
    name             text NOT NULL,
    row_count        integer NOT NULL,
    seats_per_row    integer NOT NULL,
    base_price_cents integer NOT NULL,
    section_type     text NOT NULL,                                -- vip, premium, standard, economy
    position_x       integer NOT NULL,
    position_y       integer NOT NULL,
    created_at       timestamptz NOT NULL,
    UNIQUE (venue_id, name)
);

-- The geometry that map_url serves: immutable, known by the SHA-256 of its JSON.
CREATE TABLE seat_map (
    sha256     text PRIMARY KEY,
    body       bytea NOT NULL,                                     -- JSON of protocol.seat_map.SeatMap
    created_at timestamptz NOT NULL
);

CREATE TABLE event (
    id                      uuid PRIMARY KEY,
    name                    text NOT NULL,
    description             text NOT NULL DEFAULT '',
    venue_id                uuid NOT NULL REFERENCES venue,
    artist                  text NOT NULL,
    category                text NOT NULL
                            CHECK (category IN ('concert', 'sports', 'theater', 'comedy', 'other')),
    event_at                timestamptz NOT NULL,
    on_sale_at              timestamptz NOT NULL,
    -- What the organiser said last; what customers see follows from it, the time and the seats (event_status):
    -- scheduled -> on_sale by the organiser, before on_sale_at; any -> cancelled, completed.
    stage                   text NOT NULL DEFAULT 'scheduled'
                            CHECK (stage IN ('scheduled', 'on_sale', 'completed', 'cancelled')),
    image_url               text,
    currency                text NOT NULL DEFAULT 'USD',
    waiting_room_enabled    boolean NOT NULL DEFAULT false,
    max_concurrent_shoppers integer NOT NULL DEFAULT 500,
    max_tickets_per_user    integer NOT NULL DEFAULT 4 CHECK (max_tickets_per_user > 0),
    seat_count              integer NOT NULL DEFAULT 0,            -- set once, when the seats are made
    map_sha256              text REFERENCES seat_map,
    created_at              timestamptz NOT NULL,
    updated_at              timestamptz NOT NULL
);
CREATE INDEX event_by_date ON event (event_at, id);

-- One server process. It lives until lease_until by this database's clock; the advisory lock keyed by its id
-- (node_lock_key) is held on a connection of its own and tells a crash at once.
CREATE TABLE node (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    started_at  timestamptz NOT NULL,
    lease_until timestamptz NOT NULL
);

-- The head of an event: who may write it and how far it has come. No foreign key refers to it: an open insert of
-- a child row would make a batch fail.
CREATE TABLE event_head (
    event_id      uuid PRIMARY KEY,
    owner         uuid,                                            -- node; null: nobody
    term          bigint NOT NULL DEFAULT 0,                       -- +1 per claim
    revision      bigint NOT NULL DEFAULT 0,                       -- +1 per committed batch
    epoch         text NOT NULL,                                   -- changes only when history may have been lost
    timeline      text NOT NULL,                                   -- of this database, when the epoch was made
    admitted_upto bigint NOT NULL DEFAULT 0,
    available     integer NOT NULL DEFAULT 0,                      -- seats in state available; kept by the batch
    held          integer NOT NULL DEFAULT 0                       -- seats in state held; kept by the batch
) WITH (fillfactor = 50);

-- What a seat is, for people: made with the event's seats, never changed.
CREATE TABLE place (
    event_id    uuid NOT NULL,
    seat_index  integer NOT NULL,
    section     text NOT NULL,
    row_label   text NOT NULL,
    seat_number text NOT NULL,
    price_tier  text NOT NULL,
    price_cents integer NOT NULL CHECK (price_cents >= 0),
    run         integer NOT NULL,                                  -- seats of a run stand next to each other
    distance    real NOT NULL,                                     -- to the focal point, in plan units
    accessible  boolean NOT NULL,
    PRIMARY KEY (event_id, seat_index)
);

-- What changes: state and holder, nothing else, and no index but the key, so that updates stay HOT.
CREATE TABLE seat (
    event_id   uuid NOT NULL,
    seat_index integer NOT NULL,
    state      smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
    holder     uuid,
    PRIMARY KEY (event_id, seat_index),
    CHECK ((holder IS NOT NULL) = (state IN (1, 2)))               -- held or sold: by a customer
) WITH (fillfactor = 70);

-- A customer's one hold in an event; its seats are those that the customer holds in seat.
CREATE TABLE hold (
    event_id    uuid NOT NULL,
    customer_id uuid NOT NULL,
    started_at  timestamptz NOT NULL,                              -- of its first seat
    changed_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    extended    boolean NOT NULL,
    PRIMARY KEY (event_id, customer_id)
) WITH (fillfactor = 70);
CREATE INDEX hold_customer ON hold (customer_id);

CREATE TABLE orders (
    event_id       uuid NOT NULL,
    id             uuid NOT NULL,
    customer_id    uuid NOT NULL,
    -- pending -> completed: settled, the provider took the money     pending -> payment_failed: settled, it did not
    -- completed -> cancelled: by the customer or the organiser
    status         text NOT NULL
                   CHECK (status IN ('pending', 'completed', 'cancelled', 'refunded', 'payment_failed')),
    total_cents    bigint NOT NULL,
    currency       text NOT NULL,
    payment_method text NOT NULL,
    payment_id     text,                                           -- the provider's, once it has answered
    failure        text,                                           -- the provider's sentence
    command_id     text NOT NULL,
    content_hash   bytea NOT NULL,
    created_at     timestamptz NOT NULL,
    completed_at   timestamptz,
    updated_at     timestamptz NOT NULL,
    PRIMARY KEY (event_id, id)
);
CREATE UNIQUE INDEX orders_id ON orders (id);
CREATE INDEX orders_customer ON orders (customer_id, created_at DESC);
CREATE UNIQUE INDEX orders_pending ON orders (event_id, customer_id) WHERE status = 'pending';

CREATE TABLE order_item (
    event_id    uuid NOT NULL,
    order_id    uuid NOT NULL,
    seat_index  integer NOT NULL,
    id          uuid NOT NULL,
    price_cents integer NOT NULL,
    PRIMARY KEY (event_id, order_id, seat_index)
);

CREATE TABLE ticket (
    event_id    uuid NOT NULL,
    id          uuid NOT NULL,
    order_id    uuid NOT NULL,
    seat_index  integer NOT NULL,
    customer_id uuid NOT NULL,
    status      text NOT NULL CHECK (status IN ('valid', 'void')), -- valid -> void: the order was cancelled
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (event_id, id)
);
CREATE UNIQUE INDEX ticket_seat_once ON ticket (event_id, seat_index) WHERE status = 'valid';
CREATE INDEX ticket_order ON ticket (event_id, order_id);

-- The outbox of the payment worker: one row per attempt to take money for an order.
CREATE TABLE payment_attempt (
    event_id     uuid NOT NULL,
    order_id     uuid NOT NULL,
    id           uuid NOT NULL,                                    -- the idempotency key at the provider
    -- wanted -> succeeded | declined: the provider answered
    status       text NOT NULL CHECK (status IN ('wanted', 'succeeded', 'declined')),
    amount_cents bigint NOT NULL,
    currency     text NOT NULL,
    method       text NOT NULL,
    payment_id   text,
    created_at   timestamptz NOT NULL,
    settled_at   timestamptz,
    PRIMARY KEY (event_id, order_id, id)
);

-- A REST client's Idempotency-Key, written with the order that it began.
CREATE TABLE idempotency (
    customer_id  uuid NOT NULL,
    key          text NOT NULL,
    request_hash bytea NOT NULL,
    event_id     uuid NOT NULL,
    order_id     uuid NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (customer_id, key)
);

-- One row per accepted command and per thing the clock did: the stored answer of the command, and the history of
-- the event. Kept for at least 48 hours and dropped by the week (journal_partitions).
CREATE TABLE journal (
    event_id     uuid NOT NULL,
    revision     bigint NOT NULL,
    position     integer NOT NULL,                                 -- within the batch
    at           timestamptz NOT NULL,
    -- hold, release, extend, checkout_begun, completed, payment_failed, cancelled, expired, queue
    kind         text NOT NULL,
    customer_id  uuid NOT NULL,
    command_id   text,                                             -- null: not a customer's accepted command
    content_hash bytea,
    seats        integer[] NOT NULL,                               -- whose state this changed
    answer       text,                                             -- the accepted frame, to be sent again
    PRIMARY KEY (event_id, revision, position, at)
) PARTITION BY RANGE (at);
CREATE INDEX journal_command ON journal (event_id, customer_id, command_id) WHERE command_id IS NOT NULL;
CREATE INDEX journal_expired ON journal (customer_id, at) WHERE kind = 'expired';
