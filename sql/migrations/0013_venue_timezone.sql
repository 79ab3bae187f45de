-- The IANA name of the venue's time zone, in which people are told when a show begins. Null: it is not known.
ALTER TABLE venue ADD COLUMN timezone text;
