-- Subtracts the training example that the ticket was from the label and token counts, and adds the one that it is
-- now. Rows are locked in the order of their keys, texts before tokens, so that two changes of one ticket each cannot
-- deadlock.
CREATE OR REPLACE FUNCTION triage_learn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND category_label(OLD) IS NOT DISTINCT FROM category_label(NEW)
        AND priority_label(OLD) IS NOT DISTINCT FROM priority_label(NEW)
        AND ((category_label(NEW) IS NULL AND priority_label(NEW) IS NULL)
            OR (OLD.title, OLD.description) IS NOT DISTINCT FROM (NEW.title, NEW.description))
    THEN
        RETURN NULL;
    END IF;
    -- Waits for a retraining that is running; the next statement then sees its counts.
    LOCK TABLE triage_text_counts IN ROW EXCLUSIVE MODE;
    WITH change AS (
        SELECT example.text_hash, example.buckets, triage_sum(example.label_counts, version.sign) AS label_counts
        FROM (VALUES (OLD::tickets, -1), (NEW::tickets, 1)) AS version (ticket, sign)
        CROSS JOIN LATERAL training_example(version.ticket) AS example
        GROUP BY example.text_hash, example.buckets
    ),
    counted AS (
        INSERT INTO triage_text_counts AS t (text_hash, label_counts)
        SELECT change.text_hash, change.label_counts FROM change ORDER BY change.text_hash
        ON CONFLICT (text_hash) DO UPDATE SET label_counts = triage_add(t.label_counts, excluded.label_counts)
        RETURNING t.text_hash, t.label_counts
    )
    INSERT INTO triage_token_counts AS w (bucket, label_counts)
    SELECT token.bucket, triage_sum(labels.change, token.weight)
    FROM change
    JOIN counted USING (text_hash)
    CROSS JOIN LATERAL (
        SELECT triage_add(
            majority_labels(counted.label_counts),
            majority_labels(triage_add(counted.label_counts, change.label_counts, -1)),
            -1
        )
        OFFSET 0 -- once a text, not once a token
    ) AS labels (change)
    CROSS JOIN LATERAL token_weights(change.buckets) AS token
    WHERE labels.change <> '{0,0,0,0,0,0,0,0}'
    GROUP BY token.bucket
    ORDER BY token.bucket DESC -- the sums, which every example changes, are locked last
    ON CONFLICT (bucket) DO UPDATE SET label_counts = triage_add(w.label_counts, excluded.label_counts);

    IF TG_OP <> 'INSERT' AND (category_label(OLD) IS NOT NULL OR priority_label(OLD) IS NOT NULL) THEN
        DELETE FROM triage_text_counts AS t
        WHERE t.text_hash = (SELECT example.text_hash FROM training_example(OLD) AS example)
            AND t.label_counts = '{0,0,0,0,0,0,0,0}';
    END IF;
    RETURN NULL;
END $$;
