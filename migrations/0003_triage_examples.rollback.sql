CREATE OR REPLACE FUNCTION decision_json(label text, suggested text, confidence real, suggested_by text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN suggested IS NULL THEN '{"source":"caller"}'
        WHEN label <> suggested THEN '{"source":"caller","suggested":"' || suggested || '"}'
        ELSE '{"source":"' || suggested_by || '","confidence":' || round(confidence::numeric, 3) || '}'
    END;

DROP INDEX tickets_corrected;

-- Takes back what the ticket taught as it was, and counts what it teaches as it is. The rows are locked in the order
-- of their keys, texts before weights: two changes of a ticket each cannot deadlock.
CREATE OR REPLACE FUNCTION triage_learn() RETURNS trigger LANGUAGE plpgsql AS $$
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

DROP TRIGGER triage_learn_new ON tickets;
CREATE TRIGGER triage_learn_new AFTER INSERT ON tickets
    FOR EACH ROW WHEN (category_lesson(NEW) IS NOT NULL OR priority_lesson(NEW) IS NOT NULL)
    EXECUTE FUNCTION triage_learn();

DROP TRIGGER triage_learn_changed ON tickets;
CREATE TRIGGER triage_learn_changed AFTER UPDATE ON tickets
    FOR EACH ROW WHEN (
        category_lesson(OLD) IS DISTINCT FROM category_lesson(NEW)
        OR priority_lesson(OLD) IS DISTINCT FROM priority_lesson(NEW)
        OR ((category_lesson(NEW) IS NOT NULL OR priority_lesson(NEW) IS NOT NULL)
            AND (OLD.title, OLD.description) IS DISTINCT FROM (NEW.title, NEW.description))
    )
    EXECUTE FUNCTION triage_learn();
