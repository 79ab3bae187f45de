-- A venue may have an imported plan; without one its map is made from its sections.
ALTER TABLE venue ADD COLUMN map_sha256 text REFERENCES seat_map;
