-- Deletes the search text of a deleted ticket, its stems and its signs.
CREATE OR REPLACE FUNCTION ticket_texts_remove() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ticket_texts AS x WHERE x.id = OLD.id;
    DELETE FROM ticket_stems AS s WHERE s.id = OLD.id;
    DELETE FROM ticket_signs AS s WHERE s.id = OLD.id;
    RETURN NULL;
END $$;

-- Deletes all search texts, stems and signs after a TRUNCATE of the tickets. The feed begins again, too.
CREATE OR REPLACE FUNCTION ticket_texts_remove_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE ticket_texts, ticket_stems, ticket_stem_counts, ticket_signs;
    UPDATE ticket_stem_totals SET tickets = 0, seq = 0;
    RETURN NULL;
END $$;
