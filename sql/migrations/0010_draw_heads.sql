-- What was published of a lobby while it was open: a head a second, where somebody had joined.
CREATE TABLE draw_head (
    event_id uuid NOT NULL,
    count    bigint NOT NULL CHECK (count > 0),
    head     bytea NOT NULL CHECK (length(head) = 32),
    at       timestamptz NOT NULL,
    PRIMARY KEY (event_id, count)
);

-- What is told about a draw's beacon, and when its lobby closed: before the round, which is before the draw.
ALTER TABLE queue_draw
    ADD COLUMN beacon_url       text,
    ADD COLUMN beacon_round_at  timestamptz,
    ADD COLUMN beacon_signature bytea,
    ADD COLUMN closed_at        timestamptz;                       -- null without a beacon: it closes with the draw

-- Draws that do not count any more, whatever made them so: a second draw is told to everybody.
CREATE TABLE earlier_draw (
    event_id    uuid NOT NULL,
    commitment  bytea NOT NULL,
    final_head  bytea,
    entry_count bigint,
    replaced_at timestamptz NOT NULL
);
CREATE INDEX earlier_draw_event ON earlier_draw (event_id, replaced_at);

CREATE FUNCTION keep_earlier_draw() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO earlier_draw
    VALUES (OLD.event_id, OLD.commitment, OLD.final_head, OLD.entry_count, clock_timestamp());
    RETURN NULL;
END $$;

-- Before the draw its row gets its beacon and result; the commitment never changes, and nothing does afterwards.
CREATE TRIGGER draw_is_kept AFTER UPDATE ON queue_draw FOR EACH ROW
    WHEN (OLD.commitment <> NEW.commitment OR OLD.opened_at <> NEW.opened_at
          OR (OLD.drawn_at IS NOT NULL AND OLD IS DISTINCT FROM NEW))
    EXECUTE FUNCTION keep_earlier_draw();
CREATE TRIGGER draw_is_not_forgotten AFTER DELETE ON queue_draw FOR EACH ROW EXECUTE FUNCTION keep_earlier_draw();
