-- Seats beside wheelchair places, kept for who comes with somebody who needs one. Events made before have none.
ALTER TABLE place ADD COLUMN companion boolean NOT NULL DEFAULT false;
