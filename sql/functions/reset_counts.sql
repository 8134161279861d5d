-- Deletes all counters and deltas after a TRUNCATE of the tickets. It does not TRUNCATE them: that would block
-- sessions that read the counters and are about to read the tickets.
CREATE OR REPLACE FUNCTION reset_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ticket_count_deltas;
    DELETE FROM ticket_totals;
    DELETE FROM ticket_days;
    DELETE FROM ticket_counts_15min;
    DELETE FROM ticket_durations;
    RETURN NULL;
END $$;
