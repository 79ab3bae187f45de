-- What the seats of an imported plan are known by from one import to the next: a JSON array of strings in index order,
-- known by its SHA-256. Null: the seats have no names of their own but section, row and number.
CREATE TABLE seat_names (
    sha256     text PRIMARY KEY,
    body       bytea NOT NULL,
    created_at timestamptz NOT NULL
);
ALTER TABLE venue ADD COLUMN names_sha256 text REFERENCES seat_names;
ALTER TABLE event ADD COLUMN names_sha256 text REFERENCES seat_names;
