-- Returns at most ten tickets that resemble a text, the most similar first: how much they weigh in common, as the cosine of their
-- weighted stems (stem_weight). Rare words decide. A ticket with a score under 0.1 is left out, and one with a single stem
-- in common, because that can be chance.
-- The index is read for stems that at most 600 tickets have together, and for two or three of the next ones, if tickets with all
-- of them are expected to be few. So it does not depend on the number of tickets how many are looked at.
-- Tickets whose stems are not stored yet are compared by themselves, the newest 100: a ticket is found at once.
-- With signs of an encoder, also the tickets that mean the same in other words: the cosine of two vectors is about that of pi times the
-- share of signs that differ (Charikar 2002, "Similarity estimation techniques from rounding algorithms"). Half of it is chance: the
-- score is what it has above that, twice. A ticket that is found by both counts as two independent indications.
-- The signs of the newest 100,000 tickets are stored, and all are read (20 ms); none without an encoder.
-- Retry: safe
-- Cost: high
-- $1 ticket_id: the ticket whose text it is, which is left out; NULL for another text
-- $2 title: of another text
-- $3 description
-- $4 signs: of another text, in hexadecimal; NULL without an encoder
WITH text AS MATERIALIZED (
    SELECT ticket_stems_of(coalesce(
        (SELECT x.text FROM ticket_texts AS x WHERE x.id = $1::uuid), search_text($2::text, $3::text)
    )) AS stems
),
totals AS MATERIALIZED (
    SELECT t.tickets, t.seq FROM ticket_stem_totals AS t LIMIT 1
),
given AS MATERIALIZED (
    SELECT stem, coalesce(c.tickets, 0) AS tickets, stem_weight(c.tickets, totals.tickets) AS weight, totals.tickets AS total
    FROM text
    CROSS JOIN totals
    CROSS JOIN unnest(text.stems) AS stem
    LEFT JOIN ticket_stem_counts AS c USING (stem)
    WHERE coalesce(c.tickets, 0) <= stem_limit(totals.tickets)
    LIMIT 500
),
ranked AS MATERIALIZED (
    SELECT placed.*, placed.is_rare OR placed.place <= 6 + count(*) FILTER (WHERE placed.is_rare) OVER () AS is_used
    FROM (
        SELECT given.*,
            row_number() OVER rarest AS place,
            sum(given.tickets) OVER rarest <= 600 AND row_number() OVER rarest <= 30 AS is_rare
        FROM given
        WINDOW rarest AS (ORDER BY given.tickets, given.stem)
    ) AS placed
),
keys AS MATERIALIZED (
    SELECT ARRAY[a.stem] AS stems, a.weight FROM ranked AS a WHERE a.is_rare
    UNION ALL
    SELECT ARRAY[a.stem, b.stem], a.weight + b.weight
    FROM ranked AS a
    JOIN ranked AS b ON b.place > a.place
    WHERE a.is_used AND b.is_used AND NOT a.is_rare
        AND a.tickets::double precision * b.tickets <= 200 * a.total
    UNION ALL
    SELECT ARRAY[a.stem, b.stem, c.stem], a.weight + b.weight + c.weight
    FROM ranked AS a
    JOIN ranked AS b ON b.place > a.place
    JOIN ranked AS c ON c.place > b.place
    WHERE a.is_used AND b.is_used AND c.is_used AND NOT a.is_rare
        AND a.tickets::double precision * b.tickets > 200 * a.total
        AND a.tickets::double precision * b.tickets * c.tickets <= 200 * a.total::double precision * a.total
),
found AS MATERIALIZED (
    SELECT hit.id, sum(keys.weight) AS weight
    FROM keys
    CROSS JOIN LATERAL (SELECT s.id FROM ticket_stems AS s WHERE s.stems @> keys.stems LIMIT 400) AS hit
    GROUP BY hit.id
    ORDER BY weight DESC, hit.id DESC
    LIMIT 100
),
unindexed AS MATERIALIZED (
    SELECT x.id, ticket_stems_of(x.text) AS stems
    FROM ticket_texts AS x
    WHERE x.id = ANY (ARRAY(
            (SELECT o.ticket_id FROM event_outbox AS o WHERE o.entry = 0 ORDER BY o.xid DESC LIMIT 100)
            UNION
            (
                SELECT e.ticket_id
                FROM (
                    SELECT event.ticket_id, event.entry
                    FROM events AS event
                    WHERE event.seq > (SELECT totals.seq FROM totals)
                    ORDER BY event.seq DESC
                    LIMIT 100
                ) AS e
                WHERE e.entry = 0
            )
        ))
    LIMIT 100
),
compared AS MATERIALIZED (
    SELECT candidate.id, candidate.stems, common.weight
    FROM (
        SELECT s.id, s.stems FROM ticket_stems AS s WHERE s.id = ANY (ARRAY(SELECT found.id FROM found))
        UNION ALL
        SELECT unindexed.id, unindexed.stems
        FROM unindexed
        WHERE NOT EXISTS (SELECT FROM ticket_stems AS s WHERE s.id = unindexed.id)
    ) AS candidate
    CROSS JOIN LATERAL (
        SELECT sum(given.weight * given.weight) AS weight, count(*) AS stems
        FROM unnest(candidate.stems) AS stem
        JOIN given USING (stem)
    ) AS common
    WHERE common.stems >= least(2, (SELECT count(*) FROM given)) AND common.stems > 0 AND candidate.id IS DISTINCT FROM $1::uuid
    ORDER BY common.weight / sqrt(cardinality(candidate.stems)) DESC, candidate.id DESC
    LIMIT 30
),
scored AS MATERIALIZED (
    SELECT compared.id, round(least(1, compared.weight / sqrt(ours.weight * own.weight))::numeric, 3) AS score
    FROM compared
    CROSS JOIN totals
    CROSS JOIN (SELECT sum(given.weight * given.weight) AS weight FROM given) AS ours
    CROSS JOIN LATERAL (
        SELECT sum(stem_weight(c.tickets, totals.tickets) ^ 2) AS weight
        FROM unnest(compared.stems) AS stem
        LEFT JOIN ticket_stem_counts AS c USING (stem)
        WHERE coalesce(c.tickets, 0) <= stem_limit(totals.tickets)
    ) AS own
),
wanted AS MATERIALIZED (
    SELECT coalesce($4::bit(512), (SELECT s.signs FROM ticket_signs AS s WHERE s.id = $1::uuid)) AS signs
),
nearest AS MATERIALIZED (
    SELECT s.id, bit_count(s.signs # (SELECT wanted.signs FROM wanted)) AS distance
    FROM ticket_signs AS s
    WHERE (SELECT wanted.signs FROM wanted) IS NOT NULL
        AND bit_count(s.signs # (SELECT wanted.signs FROM wanted)) <= 161 -- a score of 0.1
        AND s.id IS DISTINCT FROM $1::uuid
    ORDER BY distance, s.id DESC
    LIMIT 100
),
fused AS MATERIALIZED (
    SELECT id, round(
        (1 - (1 - coalesce(scored.score, 0)) * (2 - 2 * coalesce(cos(pi() * nearest.distance / 512), 0.5)))::numeric, 3
    ) AS score
    FROM scored
    FULL JOIN nearest USING (id)
)
SELECT left(ticket_json(t), -1) || ',"score":' || trim_scale(fused.score) || '}'
FROM fused
JOIN tickets AS t USING (id)
WHERE fused.score >= 0.1
ORDER BY fused.score DESC, t.id DESC
LIMIT 10
