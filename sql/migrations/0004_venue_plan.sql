-- A venue may have an imported plan; without one its map is made from its sections.
ALTER TABLE venue ADD COLUMN map_sha256 text REFERENCES seat_map;
-- Batches can change the terms of a sale since commit_batch_v2.
DROP FUNCTION IF EXISTS commit_batch_v1;
