-- Stores the stems of the tickets that the next events are about, at most max_events, and returns how many events there were. It
-- follows the feed as a reader does, so it misses no ticket, however it was stored, and storing one costs nothing. Events that are
-- not published yet come later. One session at a time does this; the others find nothing to do.
-- A ticket that was deleted while its stems were being stored has an event for that, too.
-- Every query reads what is pending in the index, so nothing is left there.
CREATE OR REPLACE FUNCTION ticket_stems_follow(max_events integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
    next record;
BEGIN
    LOCK TABLE tickets IN ACCESS SHARE MODE; -- first: TRUNCATE locks them, then what follows from them
    SELECT t.seq INTO reached FROM ticket_stem_totals AS t FOR NO KEY UPDATE SKIP LOCKED;
    SELECT count(*) AS events, max(e.seq) AS seq, array_agg(DISTINCT e.ticket_id) FILTER (WHERE e.has_text) AS ids
    INTO next
    FROM (
        SELECT event.seq, event.ticket_id,
            event.entry = 0 OR EXISTS (
                SELECT
                FROM ticket_history AS h
                WHERE h.ticket_id = event.ticket_id AND h.entry = event.entry
                    AND (h.event = 'deleted' OR h.changes ?| '{title,description}')
            ) AS has_text
        FROM events AS event
        WHERE event.seq > reached
        ORDER BY event.seq
        LIMIT max_events
    ) AS e;
    IF next.events > 0 THEN
        UPDATE ticket_stem_totals SET seq = next.seq;
    END IF;
    IF next.ids IS NOT NULL THEN
        PERFORM ticket_stems_write(next.ids);
        PERFORM ticket_signs_mark(next.ids);
        DELETE FROM ticket_stems AS s
        WHERE s.id = ANY (next.ids) AND NOT EXISTS (SELECT FROM tickets AS t WHERE t.id = s.id);
        PERFORM index_pending_stems();
    END IF;
    RETURN next.events;
END $$;
