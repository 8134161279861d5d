-- Similar tickets and duplicates: stems of the words of each ticket with an index, and how many tickets have each stem.
-- It runs outside a transaction, while the previous release is running: no lock is held for longer than a batch takes.
-- Every statement may run again.
-- depends: 0015_durations
-- transactional: false

ALTER TABLE tickets ADD COLUMN IF NOT EXISTS duplicate_of uuid; -- of a closed ticket: the trigger tickets_duplicate sees to that

CREATE TABLE IF NOT EXISTS ticket_stems (
    id uuid CONSTRAINT ticket_stems_pkey PRIMARY KEY,
    stems integer[] NOT NULL -- ticket_stems_of(), without those that very many tickets have
);

CREATE TABLE IF NOT EXISTS ticket_stem_counts (
    stem integer CONSTRAINT ticket_stem_counts_pkey PRIMARY KEY,
    tickets integer NOT NULL -- that have or had it
) WITH (fillfactor = 70);

-- One row.
CREATE TABLE IF NOT EXISTS ticket_stem_totals (
    tickets bigint NOT NULL, -- that have or had stems
    seq bigint NOT NULL -- the last event whose ticket has its stems
);

-- Roles that may write the search texts may write these.
DO $$
DECLARE
    permission text;
BEGIN
    FOR permission IN
        SELECT format(
            'GRANT %s ON ticket_stems, ticket_stem_counts, ticket_stem_totals TO %s',
            acl.privilege_type, coalesce(quote_ident(role.rolname), 'PUBLIC')
        )
        FROM pg_class
        CROSS JOIN LATERAL aclexplode(pg_class.relacl) AS acl
        LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'ticket_texts'::regclass
    LOOP
        EXECUTE permission;
    END LOOP;
END $$;

-- Later events are followed: also those that the outbox has now.
INSERT INTO ticket_stem_totals (tickets, seq)
SELECT 0, coalesce(max(e.seq), 0) FROM events AS e HAVING NOT EXISTS (SELECT FROM ticket_stem_totals);

-- The files of sql/functions replace these functions afterwards.
CREATE OR REPLACE FUNCTION stem_weight(tickets integer, total bigint) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ln(2 + total::double precision / (coalesce(tickets, 0) + 1));

CREATE OR REPLACE FUNCTION stem_limit(total bigint) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN greatest(1000, least(total / 20, 100000));

CREATE OR REPLACE FUNCTION ticket_stems_of(body text) RETURNS integer[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ARRAY(
        SELECT DISTINCT hashtext(left(word, 6) COLLATE "C") & 1048575
        FROM unnest(regexp_split_to_array(
            CASE
                WHEN octet_length(body) = char_length(body) THEN left(body, 1000)
                ELSE regexp_replace(left(body, 1000) COLLATE "C", '([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])', ' \1 ', 'g')
            END COLLATE "C",
            '[^a-z0-9\u00c0-\u1fff\u2c00-\u2dff\u3040-\ud7ff\uf900-\ufaff]+'
        )) AS word
        WHERE char_length(word) > 2 OR (octet_length(word) > 1 AND word NOT BETWEEN 'a' AND 'zz')
    );

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
        SELECT ARRAY(
            SELECT counted.stem FROM counted CROSS JOIN total WHERE counted.tickets > stem_limit(total.tickets)
        ) AS stems
    )
    INSERT INTO ticket_stems AS s (id, stems)
    SELECT texts.id, ARRAY(SELECT stem FROM unnest(texts.stems) AS stem WHERE stem <> ALL (frequent.stems))
    FROM texts
    CROSS JOIN frequent
    ON CONFLICT (id) DO UPDATE SET stems = excluded.stems WHERE s.stems <> excluded.stems;
END $$;

DO $$
DECLARE
    reached uuid := '00000000-0000-0000-0000-000000000000';
    batch uuid[];
    done bigint := 0;
    total bigint := greatest((SELECT count(*) FROM ticket_texts), 1);
BEGIN
    LOOP
        batch := ARRAY(SELECT x.id FROM ticket_texts AS x WHERE x.id > reached ORDER BY x.id LIMIT 2000);
        EXIT WHEN batch = '{}';
        PERFORM ticket_stems_write(batch);
        COMMIT;
        IF done * 10 / total < (done + cardinality(batch)) * 10 / total THEN
            RAISE INFO 'stems of % of % tickets', done + cardinality(batch), greatest(total, done + cardinality(batch));
        END IF;
        done := done + cardinality(batch);
        reached := batch[cardinality(batch)];
    END LOOP;
END $$;

DROP INDEX CONCURRENTLY IF EXISTS ticket_stems_search;
-- The pending list, which every query reads, stays short: only a background task inserts, and need not be fast.
CREATE INDEX CONCURRENTLY ticket_stems_search ON ticket_stems USING gin (stems) WITH (gin_pending_list_limit = 128);
ANALYZE ticket_stems;
ANALYZE ticket_stem_counts;
