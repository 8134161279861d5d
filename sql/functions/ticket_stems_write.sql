-- Stores the stems of these tickets, and counts how many tickets have each. Nothing is ever subtracted, neither for a ticket that
-- is deleted nor for one whose text changes: weights depend on shares, and both parts of a share keep what is gone.
-- Only one session may call it at a time; ticket_stems_follow() sees to that.
CREATE OR REPLACE FUNCTION ticket_stems_write(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH texts AS MATERIALIZED (
        SELECT x.id, ticket_stems_of(x.text) AS stems, s.id IS NULL AS is_new
        FROM ticket_texts AS x
        LEFT JOIN ticket_stems AS s USING (id)
        WHERE x.id = ANY (ids)
    ),
    counted AS (
        INSERT INTO ticket_stem_counts AS c (stem, tickets)
        SELECT stem, count(*) FILTER (WHERE texts.is_new) FROM texts CROSS JOIN unnest(texts.stems) AS stem GROUP BY stem
        ON CONFLICT (stem) DO UPDATE SET tickets = c.tickets + excluded.tickets
        RETURNING c.stem, c.tickets
    ),
    total AS (
        UPDATE ticket_stem_totals AS t
        SET tickets = t.tickets + (SELECT count(*) FROM texts WHERE texts.is_new)
        RETURNING t.tickets
    ),
    frequent AS MATERIALIZED (
        SELECT counted.stem FROM counted CROSS JOIN total WHERE counted.tickets > stem_limit(total.tickets)
    )
    INSERT INTO ticket_stems AS s (id, stems)
    SELECT
        texts.id,
        ARRAY(SELECT stem FROM unnest(texts.stems) AS stem WHERE stem NOT IN (SELECT frequent.stem FROM frequent))
    FROM texts
    ON CONFLICT (id) DO UPDATE SET stems = excluded.stems WHERE s.stems <> excluded.stems;
END $$;
