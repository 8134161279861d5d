-- Learning: with each ticket stands what the service suggested; what people made of it is counted by word.
-- Everything here follows from the tickets: triage_rebuild() makes the same counts again.
-- depends: 0001_tickets

-- A label without a suggestion was given by the caller. The confidences are probabilities. suggested_by names the
-- classifier, or is 'default' where triage was switched off.
ALTER TABLE tickets
    ADD COLUMN suggested_category ticket_category,
    ADD COLUMN suggested_priority ticket_priority,
    ADD COLUMN category_confidence real,
    ADD COLUMN priority_confidence real,
    ADD COLUMN suggested_by text,
    ADD CONSTRAINT tickets_suggestion_whole CHECK (
        (suggested_category IS NULL) = (category_confidence IS NULL)
        AND (suggested_priority IS NULL) = (priority_confidence IS NULL)
        AND (suggested_category IS NULL AND suggested_priority IS NULL) = (suggested_by IS NULL)
    ),
    ADD CONSTRAINT tickets_confidence_in_range CHECK (
        category_confidence BETWEEN 0 AND 1 AND priority_confidence BETWEEN 0 AND 1
    );

-- The labels of both fields, categories first. Votes and weights are arrays with a place for each, in this order.
CREATE TYPE triage_label AS ENUM ('billing', 'technical', 'account', 'general', 'low', 'medium', 'high', 'critical');

-- Lessons of tickets created before that time are forgotten. One row.
CREATE TABLE triage_memory (
    since timestamptz NOT NULL
);
INSERT INTO triage_memory VALUES ('-infinity');

-- How many tickets with the same words ended with each label. The same words in any order, case and number, with any
-- figures between them, are one text: it teaches once, whatever the number of its tickets.
CREATE TABLE triage_texts (
    fingerprint uuid CONSTRAINT triage_texts_pkey PRIMARY KEY,
    votes bigint[] NOT NULL
) WITH (fillfactor = 80);

-- What the texts of each label weigh by word, in hundredths of a word. A word is known by its bucket only: there are
-- 65536, so the table is bounded, and keeps nothing of what customers wrote. Bucket -1 has the sums over all words.
CREATE TABLE triage_weights (
    bucket integer CONSTRAINT triage_weights_pkey PRIMARY KEY,
    weights bigint[] NOT NULL
) WITH (fillfactor = 50);

-- The first 64 different words among the first 4000 characters of a text: the bucket, and the word as it stands there.
-- Words are the same when their first six letters are. Everything beyond ASCII is a letter, whatever the locale, but for
-- Latin-1's signs, the general, CJK and full-width punctuation.
CREATE FUNCTION triage_words(body text) RETURNS TABLE (bucket integer, word text)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 30
BEGIN ATOMIC
    SELECT w.bucket, (array_agg(w.word ORDER BY w.place))[1]
    FROM (
        SELECT split.word, split.place,
            (hashtextextended(left(lower(translate(split.word, '''’', '')), 6), 0) & 65535)::integer AS bucket
        FROM regexp_split_to_table(
            left(body, 4000),
            '[\u0001-\u0026\u0028-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u2018\u201a-\u206f\u3000-\u303f\uff00-\uff20]+'
        ) WITH ORDINALITY AS split (word, place)
        WHERE translate(split.word, '''’', '') <> ''
    ) AS w
    GROUP BY w.bucket
    ORDER BY min(w.place)
    LIMIT 64;
END;

-- The category that a ticket teaches: one that a person put in place of the suggested one, or left standing when the
-- ticket was resolved. NULL while nobody has judged it, for a category that was not suggested, and for a default that
-- was left standing: that is no judgement.
CREATE FUNCTION category_lesson(t tickets) RETURNS ticket_category
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN t.suggested_category IS NULL THEN NULL
        WHEN t.category <> t.suggested_category THEN t.category
        WHEN t.status IN ('resolved', 'closed') AND t.suggested_by <> 'default' THEN t.category
    END;

-- The same for the priority.
CREATE FUNCTION priority_lesson(t tickets) RETURNS ticket_priority
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN t.suggested_priority IS NULL THEN NULL
        WHEN t.priority <> t.suggested_priority THEN t.priority
        WHEN t.status IN ('resolved', 'closed') AND t.suggested_by <> 'default' THEN t.priority
    END;

-- What a ticket says about its text: at most one vote a field. No row when it teaches nothing.
CREATE FUNCTION triage_ballot(t tickets) RETURNS TABLE (fingerprint uuid, buckets integer[], votes bigint[])
    LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT md5(words.buckets::text)::uuid, words.buckets, lesson.votes
    FROM triage_memory
    CROSS JOIN LATERAL (
        SELECT array_agg(
            coalesce(label::text IN (category_lesson(t)::text, priority_lesson(t)::text), false)::integer::bigint ORDER BY label
        )
        FROM unnest(enum_range(NULL::triage_label)) AS label
        WHERE category_lesson(t) IS NOT NULL OR priority_lesson(t) IS NOT NULL
    ) AS lesson (votes)
    CROSS JOIN LATERAL (
        SELECT array_agg(w.bucket ORDER BY w.bucket)
        FROM triage_words(t.title || E'\n' || t.description) AS w
    ) AS words (buckets)
    WHERE t.created_at >= triage_memory.since AND lesson.votes IS NOT NULL AND words.buckets IS NOT NULL;
END;

-- One array of numbers for the labels, and so many times another.
CREATE FUNCTION triage_add(a bigint[], b bigint[], times bigint DEFAULT 1) RETURNS bigint[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ARRAY[
        a[1] + times * b[1], a[2] + times * b[2], a[3] + times * b[3], a[4] + times * b[4],
        a[5] + times * b[5], a[6] + times * b[6], a[7] + times * b[7], a[8] + times * b[8]
    ];

CREATE AGGREGATE triage_sum(bigint[], bigint) (
    sfunc = triage_add,
    stype = bigint[],
    initcond = '{0,0,0,0,0,0,0,0}'
);

-- What a text with these votes teaches, 1 for each such label: of each field the label with most votes, and none when
-- opinions are divided.
CREATE FUNCTION triage_lesson(votes bigint[]) RETURNS bigint[]
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT array_agg((rival.votes > 0 AND rival.place = 1 AND rival.equals = 1)::integer::bigint ORDER BY rival.label)
    FROM (
        SELECT ballot.label, ballot.votes,
            rank() OVER (PARTITION BY ballot.label < 'low' ORDER BY ballot.votes DESC) AS place,
            count(*) OVER (PARTITION BY ballot.label < 'low', ballot.votes) AS equals
        FROM unnest(enum_range(NULL::triage_label), votes) AS ballot (label, votes)
    ) AS rival;
END;

-- The words of a text and what each weighs, and the sum of it all for bucket -1. A text of more than 16 words shares
-- the weight of 16 among them, so that no long text outweighs others.
CREATE FUNCTION triage_shares(buckets integer[]) RETURNS TABLE (bucket integer, share integer)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT word.bucket, least(100, 1600 / cardinality(buckets)) FROM unnest(buckets) AS word (bucket)
    UNION ALL
    SELECT -1, least(100, 1600 / cardinality(buckets)) * cardinality(buckets);
END;

-- Takes back what the ticket taught as it was, and counts what it teaches as it is. The rows are locked in the order
-- of their keys, texts before weights: two changes of a ticket each cannot deadlock.
CREATE FUNCTION triage_learn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A rebuild that is under way ends first; the next statement then sees what it left.
    LOCK TABLE triage_texts IN ROW EXCLUSIVE MODE;
    WITH change AS (
        SELECT ballot.fingerprint, ballot.buckets, triage_sum(ballot.votes, version.times) AS votes
        FROM (VALUES (OLD::tickets, -1), (NEW::tickets, 1)) AS version (ticket, times)
        CROSS JOIN LATERAL triage_ballot(version.ticket) AS ballot
        GROUP BY ballot.fingerprint, ballot.buckets
    ),
    counted AS (
        INSERT INTO triage_texts AS t (fingerprint, votes)
        SELECT change.fingerprint, change.votes FROM change ORDER BY change.fingerprint
        ON CONFLICT (fingerprint) DO UPDATE SET votes = triage_add(t.votes, excluded.votes)
        RETURNING t.fingerprint, t.votes
    )
    INSERT INTO triage_weights AS w (bucket, weights)
    SELECT word.bucket, triage_sum(lesson.change, word.share)
    FROM change
    JOIN counted USING (fingerprint)
    CROSS JOIN LATERAL (
        SELECT triage_add(
            triage_lesson(counted.votes), triage_lesson(triage_add(counted.votes, change.votes, -1)), -1
        )
        OFFSET 0 -- once a text, not once a word
    ) AS lesson (change)
    CROSS JOIN LATERAL triage_shares(change.buckets) AS word
    WHERE lesson.change <> '{0,0,0,0,0,0,0,0}'
    GROUP BY word.bucket
    ORDER BY word.bucket DESC -- the sums, which every lesson changes, are locked last
    ON CONFLICT (bucket) DO UPDATE SET weights = triage_add(w.weights, excluded.weights);

    IF TG_OP <> 'INSERT' AND (category_lesson(OLD) IS NOT NULL OR priority_lesson(OLD) IS NOT NULL) THEN
        DELETE FROM triage_texts AS t
        WHERE t.fingerprint = (SELECT ballot.fingerprint FROM triage_ballot(OLD) AS ballot)
            AND t.votes = '{0,0,0,0,0,0,0,0}';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER triage_learn_new AFTER INSERT ON tickets
    FOR EACH ROW WHEN (category_lesson(NEW) IS NOT NULL OR priority_lesson(NEW) IS NOT NULL)
    EXECUTE FUNCTION triage_learn();

CREATE TRIGGER triage_learn_changed AFTER UPDATE ON tickets
    FOR EACH ROW WHEN (
        category_lesson(OLD) IS DISTINCT FROM category_lesson(NEW)
        OR priority_lesson(OLD) IS DISTINCT FROM priority_lesson(NEW)
        OR ((category_lesson(NEW) IS NOT NULL OR priority_lesson(NEW) IS NOT NULL)
            AND (OLD.title, OLD.description) IS DISTINCT FROM (NEW.title, NEW.description))
    )
    EXECUTE FUNCTION triage_learn();

CREATE TRIGGER triage_learn_deleted AFTER DELETE ON tickets
    FOR EACH ROW WHEN (category_lesson(OLD) IS NOT NULL OR priority_lesson(OLD) IS NOT NULL)
    EXECUTE FUNCTION triage_learn();

-- Counts the lessons of all tickets created since then; what was counted before is dropped. Returns the number of texts.
-- Changes that teach wait until it has ended; reading does not.
CREATE FUNCTION triage_rebuild(since timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE tickets IN ACCESS SHARE MODE; -- tables are locked in the order in which a change of a ticket does it
    LOCK TABLE triage_texts IN EXCLUSIVE MODE;
    DELETE FROM triage_texts;
    DELETE FROM triage_weights;
    UPDATE triage_memory AS m SET since = triage_rebuild.since;
    WITH text AS (
        SELECT ballot.fingerprint, ballot.buckets, triage_sum(ballot.votes, 1) AS votes
        FROM tickets AS t
        CROSS JOIN LATERAL triage_ballot(t) AS ballot
        WHERE category_lesson(t) IS NOT NULL OR priority_lesson(t) IS NOT NULL
        GROUP BY ballot.fingerprint, ballot.buckets
    ),
    counted AS (
        INSERT INTO triage_texts (fingerprint, votes) SELECT text.fingerprint, text.votes FROM text
    )
    INSERT INTO triage_weights (bucket, weights)
    SELECT same.bucket, triage_sum(same.lesson, same.share)
    FROM (
        SELECT word.bucket, lesson.lesson, sum(word.share) AS share
        FROM text
        CROSS JOIN LATERAL (SELECT triage_lesson(text.votes) OFFSET 0) AS lesson (lesson) -- once a text, not once a word
        CROSS JOIN LATERAL triage_shares(text.buckets) AS word
        GROUP BY word.bucket, lesson.lesson
    ) AS same
    GROUP BY same.bucket;
    RETURN (SELECT count(*) FROM triage_texts);
END $$;

-- Without tickets there are no lessons.
CREATE FUNCTION triage_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM triage_texts;
    DELETE FROM triage_weights;
    RETURN NULL;
END $$;

CREATE TRIGGER triage_forget AFTER TRUNCATE ON tickets
    FOR EACH STATEMENT EXECUTE FUNCTION triage_forget();

-- Who decided a label: the caller who gave or corrected it, or who suggested it.
CREATE FUNCTION decision_json(label text, suggested text, confidence real, suggested_by text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN suggested IS NULL THEN '{"source":"caller"}'
        WHEN label <> suggested THEN '{"source":"caller","suggested":"' || suggested || '"}'
        ELSE '{"source":"' || suggested_by || '","confidence":' || round(confidence::numeric, 3) || '}'
    END;

CREATE OR REPLACE FUNCTION ticket_json(t tickets) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '{"id":"' || t.id
        || '","title":' || to_json(t.title)
        || ',"description":' || to_json(t.description)
        || ',"category":"' || t.category
        || '","priority":"' || t.priority
        || '","status":"' || t.status
        || '","created_at":"' || rfc3339(t.created_at)
        || '","updated_at":"' || rfc3339(t.updated_at)
        || '","version":' || t.version
        || CASE
            WHEN t.suggested_by IS NULL
                THEN ',"triage":{"category":{"source":"caller"},"priority":{"source":"caller"}}}'
            ELSE ',"triage":{"category":'
                || decision_json(t.category::text, t.suggested_category::text, t.category_confidence, t.suggested_by)
                || ',"priority":'
                || decision_json(t.priority::text, t.suggested_priority::text, t.priority_confidence, t.suggested_by)
                || '}}'
        END;
