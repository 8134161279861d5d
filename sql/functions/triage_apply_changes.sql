-- Adds and subtracts changes of training examples, those of one ticket or of many, in the label and token counts. Rows are
-- locked in the order of their keys, texts before tokens, those of keys before those of all.
-- One plan for any number of changes: planning for each number takes a fifth of a correction. So it must not join them by
-- a loop over all pairs; up to PostgreSQL 17 the cost that forbids loops would have every call compiled.
CREATE OR REPLACE FUNCTION triage_apply_changes(changes triage_pending_changes[]) RETURNS void
    LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_nestloop = off SET jit = off
AS $$
BEGIN
    WITH change AS (
        SELECT c.author, c.text_hash, c.buckets, triage_sum(c.label_counts, c.sign) AS label_counts
        FROM unnest(changes) AS c
        GROUP BY c.author, c.text_hash, c.buckets
    ),
    counted AS (
        INSERT INTO triage_text_counts AS t (text_hash, label_counts)
        SELECT change.text_hash, change.label_counts FROM change ORDER BY change.text_hash
        ON CONFLICT (text_hash) DO UPDATE SET label_counts = triage_add(t.label_counts, excluded.label_counts)
        RETURNING t.text_hash, t.label_counts
    ),
    learned AS (
        SELECT same.author, same.bucket, triage_sum(same.labels, same.weight) AS label_counts
        FROM (
            SELECT change.author, token.bucket, majority.labels, sum(token.weight) AS weight
            FROM change
            JOIN counted USING (text_hash)
            CROSS JOIN LATERAL (
                SELECT triage_add(
                    majority_labels(counted.label_counts),
                    majority_labels(triage_add(counted.label_counts, change.label_counts, -1)),
                    -1
                )
                OFFSET 0 -- once a text, not once a token
            ) AS majority (labels)
            CROSS JOIN LATERAL token_weights(change.buckets) AS token
            WHERE majority.labels <> '{0,0,0,0,0,0,0,0}'
            GROUP BY change.author, token.bucket, majority.labels
        ) AS same
        GROUP BY same.author, same.bucket
    ),
    by_author AS (
        INSERT INTO triage_author_counts AS a (bucket, author, label_counts)
        SELECT l.bucket, l.author, l.label_counts FROM learned AS l WHERE l.author <> '' ORDER BY l.bucket DESC, l.author
        ON CONFLICT (bucket, author) DO UPDATE SET label_counts = triage_add(a.label_counts, excluded.label_counts)
        RETURNING a.bucket
    )
    INSERT INTO triage_weights AS w (bucket, weights)
    SELECT l.bucket, triage_sum(l.label_counts, 1)
    FROM learned AS l
    WHERE (SELECT count(*) FROM by_author) IS NOT NULL -- before this insert
    GROUP BY l.bucket
    ORDER BY l.bucket DESC -- the sums, which every example changes, are locked last
    ON CONFLICT (bucket) DO UPDATE SET weights = triage_add(w.weights, excluded.weights);
    PERFORM triage_mark_minor_keys();

    IF EXISTS (SELECT FROM unnest(changes) AS c WHERE c.sign < 0) THEN
        DELETE FROM triage_text_counts AS t
        WHERE t.text_hash = ANY (ARRAY(SELECT c.text_hash FROM unnest(changes) AS c))
            AND t.label_counts = '{0,0,0,0,0,0,0,0}';
    END IF;
END $$;
