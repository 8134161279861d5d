-- Marks the newest 100,000 tickets, whose texts are then encoded, the newest first. ticket_stems_follow() marks those that are new
-- or change later: no events are followed meanwhile, so none is missed.
CREATE OR REPLACE FUNCTION ticket_signs_begin() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE tickets IN ACCESS SHARE MODE; -- first, as ticket_stems_follow() does
    PERFORM FROM ticket_stem_totals FOR NO KEY UPDATE;
    INSERT INTO ticket_signs (id) SELECT t.id FROM tickets AS t ORDER BY t.id DESC LIMIT 100000 ON CONFLICT DO NOTHING;
END $$;
