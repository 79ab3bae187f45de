-- Makes the journal's weekly partitions of this week and the next, and drops those that ended more than p_keep ago.
-- Called at every start and each hour; safe to call at any time, by any node. Few, because a command id is looked up
-- in each of them.
CREATE OR REPLACE FUNCTION journal_partitions(p_now timestamptz, p_keep interval) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    week timestamptz := date_trunc('week', p_now, 'UTC');
    part record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('journal_partitions'));
    WHILE week <= p_now + interval '1 week' LOOP
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS %I PARTITION OF journal FOR VALUES FROM (%L) TO (%L)',
            'journal_' || to_char(week AT TIME ZONE 'UTC', 'YYYYMMDD'), week, week + interval '1 week');
        week := week + interval '1 week';
    END LOOP;
    FOR part IN
        SELECT c.relname,
               to_timestamp(right(c.relname, 8), 'YYYYMMDD') AT TIME ZONE 'UTC' AS starts
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'journal'::regclass
    LOOP
        IF (part.starts AT TIME ZONE 'UTC') + interval '1 week' < p_now - p_keep THEN
            EXECUTE format('DROP TABLE %I', part.relname);
        END IF;
    END LOOP;
END $$;
