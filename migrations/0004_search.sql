-- Search: the text of each ticket in a form that a trigram index serves, in a table of its own. A change that leaves the
-- text of its ticket alone (of the status, most often) writes nothing here.
-- It runs outside a transaction, so that tickets can be written while the texts of many are copied and indexed. Every
-- statement may run again.
-- depends: 0003_triage_examples
-- transactional: false

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;

-- What a search looks into: title and description in lower case. Patterns are in lower case too, so that none matches the
-- upper-case T that ends each of the two: no phrase reaches from one into the other.
-- A trigram index finds two letters by the trigrams they can begin: with any letter or digit of ASCII, or with the end of
-- the word. Where others occur, the text comes a second time with T between all characters, so that two adjacent ones are
-- a trigram (and one alone, between two T). Nothing but a single character matches in there, and that occurs before.
CREATE OR REPLACE FUNCTION search_text(title text, description text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(title) || 'T' || lower(description) || 'T'
        || CASE
            WHEN octet_length(title) = char_length(title) AND octet_length(description) = char_length(description) THEN ''
            ELSE array_to_string(string_to_array(lower(title) || 'T' || lower(description), NULL), 'T') || 'T'
        END;

-- The week of a ticket's creation, counted from 1970-01-01, out of the 48 bits of its id that are milliseconds. Weeks
-- order as ids do.
CREATE OR REPLACE FUNCTION ticket_week(id uuid) RETURNS integer
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (('x' || left(translate(id::text, '-', ''), 12))::bit(48)::bigint / 604800000)::integer;

-- The least id of a week; the greatest of all for the week after the last that ids can have.
CREATE OR REPLACE FUNCTION ticket_week_floor(week integer) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE
        WHEN week::bigint * 604800000 >= 1::bigint << 48 THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'
        ELSE rpad(lpad(to_hex(week::bigint * 604800000), 12, '0'), 32, '0')::uuid
    END;

-- There is no foreign key, and the week is no generated column: the triggers see to both, at less cost.
CREATE TABLE IF NOT EXISTS ticket_texts (
    id uuid CONSTRAINT ticket_texts_pkey PRIMARY KEY,
    week integer NOT NULL,
    text text NOT NULL
);

CREATE OR REPLACE FUNCTION ticket_texts_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ticket_texts (id, week, text)
    SELECT t.id, ticket_week(t.id), search_text(t.title, t.description) FROM added AS t;
    RETURN NULL;
END $$;

-- The text may be missing while this migration copies those of older tickets.
CREATE OR REPLACE FUNCTION ticket_texts_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ticket_texts (id, week, text)
    VALUES (NEW.id, ticket_week(NEW.id), search_text(NEW.title, NEW.description))
    ON CONFLICT (id) DO UPDATE SET text = excluded.text;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ticket_texts_remove() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ticket_texts AS x WHERE x.id = OLD.id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ticket_texts_remove_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE ticket_texts;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER ticket_texts_remove_all AFTER TRUNCATE ON tickets
    FOR EACH STATEMENT EXECUTE FUNCTION ticket_texts_remove_all();
CREATE OR REPLACE TRIGGER ticket_texts_remove AFTER DELETE ON tickets
    FOR EACH ROW EXECUTE FUNCTION ticket_texts_remove();
CREATE OR REPLACE TRIGGER ticket_texts_change AFTER UPDATE OF title, description ON tickets
    FOR EACH ROW WHEN (OLD.title <> NEW.title OR OLD.description <> NEW.description)
    EXECUTE FUNCTION ticket_texts_change();
CREATE OR REPLACE TRIGGER ticket_texts_add AFTER INSERT ON tickets
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ticket_texts_add();

-- The texts of the tickets that are already there, some thousands at a time. FOR SHARE holds their writers up for as long
-- as one batch takes: none can change or delete a ticket between the moment that its text is read and the commit.
DO $$
DECLARE
    last uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        WITH batch AS MATERIALIZED (
            SELECT t.id, t.title, t.description FROM tickets AS t WHERE t.id > last ORDER BY t.id LIMIT 5000 FOR SHARE
        ),
        copied AS (
            INSERT INTO ticket_texts (id, week, text)
            SELECT b.id, ticket_week(b.id), search_text(b.title, b.description) FROM batch AS b
            ON CONFLICT (id) DO NOTHING
        )
        SELECT b.id INTO last FROM batch AS b ORDER BY b.id DESC LIMIT 1;
        EXIT WHEN last IS NULL;
        COMMIT;
    END LOOP;
END $$;

-- The tickets whose text matches all of the patterns, in any letter case, and none of the excluded ones. The other two
-- parameters are what the index can look up of the patterns; with neither, every text is looked at.
CREATE OR REPLACE FUNCTION tickets_with_text(
    patterns text[], excluded text[], index_patterns text[], index_regex text
) RETURNS SETOF uuid
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH wanted AS MATERIALIZED (
        SELECT lower(patterns::text)::text[] AS patterns,
            lower(excluded::text)::text[] AS excluded,
            lower(index_patterns::text)::text[] AS indexed,
            lower(index_regex) AS regex,
            index_patterns <> '{}' OR index_regex <> '' AS has_index
    ),
    candidate AS NOT MATERIALIZED (
        SELECT x.id, x.text
        FROM ticket_texts AS x
        WHERE (SELECT w.has_index FROM wanted AS w)
            AND x.text LIKE coalesce((SELECT w.indexed[1] FROM wanted AS w), '%')
            AND x.text LIKE coalesce((SELECT w.indexed[2] FROM wanted AS w), '%')
            AND x.text LIKE coalesce((SELECT w.indexed[3] FROM wanted AS w), '%')
            AND x.text LIKE coalesce((SELECT w.indexed[4] FROM wanted AS w), '%')
            AND x.text ~ (SELECT w.regex FROM wanted AS w)
        UNION ALL
        SELECT x.id, x.text
        FROM ticket_texts AS x
        WHERE NOT (SELECT w.has_index FROM wanted AS w)
    )
    SELECT x.id
    FROM candidate AS x
    WHERE x.text LIKE ALL ((SELECT w.patterns FROM wanted AS w)::text[])
        AND NOT x.text LIKE ANY ((SELECT w.excluded FROM wanted AS w)::text[]);
END;

-- A run that was killed leaves an invalid index.
DROP INDEX CONCURRENTLY IF EXISTS ticket_texts_search;
-- With the week a search can ask for the hits of one week at a time: GIN skips what other weeks have. New texts wait in
-- the index's pending list, which searches read through as well; 1 MB of it takes them a millisecond.
CREATE INDEX CONCURRENTLY ticket_texts_search ON ticket_texts USING gin (week, text gin_trgm_ops)
    WITH (gin_pending_list_limit = 1024);
ANALYZE ticket_texts;
