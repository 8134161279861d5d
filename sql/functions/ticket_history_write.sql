-- Writes the history entry of a change, and its event, in the transaction of the change. Who made it is in a setting, which the
-- statement that changes the ticket sets (ticket_author()). A statement that adds or deletes a comment says so in the setting
-- ticketsvc.comment (comment_note()), for one version of one ticket: another change in the same transaction does not inherit it.
CREATE OR REPLACE FUNCTION ticket_history_write() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes jsonb;
    author text[] := string_to_array(ticket_author(OLD.id), ' ');
    note jsonb := nullif(current_setting('ticketsvc.comment', true), '');
BEGIN
    IF TG_OP = 'UPDATE' THEN
        changes := ticket_diff(OLD, NEW);
        IF changes = '{}' AND OLD.version IS NOT DISTINCT FROM NEW.version THEN
            RETURN NULL; -- clients see no change: a suggestion was stored
        END IF;
        IF OLD.suggested_by <> NEW.suggested_by THEN -- by triage/refine.sql: the entry of the creation keeps the first
            changes := changes || field_change(
                'triage', ticket_json(OLD)::jsonb -> 'triage', ticket_json(NEW)::jsonb -> 'triage'
            );
        END IF;
        IF note IS NOT NULL AND (
            NEW.version = OLD.version
            OR (note ->> 'ticket_id', note ->> 'version') IS DISTINCT FROM (NEW.id::text, NEW.version::text)
        ) THEN
            note := NULL;
        END IF;
        WITH written AS (
            INSERT INTO ticket_history (ticket_id, version, at, event, actor, request_id, changes, comment)
            VALUES (
                NEW.id,
                NEW.version,
                CASE WHEN NEW.updated_at > OLD.updated_at THEN NEW.updated_at ELSE greatest(now(), NEW.updated_at) END,
                coalesce((note ->> 'event')::history_event, 'changed'),
                nullif(author[2], ''),
                nullif(author[1], ''),
                changes,
                note -> 'comment'
            )
            RETURNING ticket_id, entry
        )
        INSERT INTO event_outbox (ticket_id, entry) SELECT ticket_id, entry FROM written;
    ELSE
        INSERT INTO ticket_history (ticket_id, entry, version, at, event, actor, request_id, changes, triage)
        SELECT c.ticket_id, c.entry, c.version, c.at, c.event, c.actor, c.request_id, c.changes, c.triage
        FROM ticket_created(OLD) AS c
        ON CONFLICT ON CONSTRAINT ticket_history_pkey DO NOTHING; -- a ticket that was restored by hand is deleted again
        UPDATE ticket_history AS h
        SET changes = redact_texts(h.changes), comment = h.comment || '{"author":null}'
        WHERE h.ticket_id = OLD.id
            AND (h.changes ?| ARRAY['title', 'description', 'requester', 'metadata'] OR h.comment IS NOT NULL);
        WITH written AS (
            INSERT INTO ticket_history (ticket_id, version, at, event, actor, request_id, changes)
            VALUES (OLD.id, OLD.version, now(), 'deleted', nullif(author[2], ''), nullif(author[1], ''), '{}')
            RETURNING ticket_id, entry
        )
        INSERT INTO event_outbox (ticket_id, entry) SELECT ticket_id, entry FROM written;
    END IF;
    RETURN NULL;
END $$;
