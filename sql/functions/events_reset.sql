-- Empties the feed after a TRUNCATE of the tickets. There is no event for each, so cursors are gone with the generation, and
-- webhooks start again.
CREATE OR REPLACE FUNCTION events_reset() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7598253, 'event_outbox'::regclass::oid::integer);
    DELETE FROM event_outbox;
    DELETE FROM events;
    DELETE FROM event_generations;
    PERFORM event_generation_open(0);
    UPDATE webhooks SET seq = 0;
    DELETE FROM webhook_deliveries;
    RETURN NULL;
END $$;
