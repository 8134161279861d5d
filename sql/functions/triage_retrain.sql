-- Recomputes all label and token counts from the tickets created since the cutoff, and returns the number of
-- different texts. Changes that would update the counts wait until it has finished; reads do not.
CREATE OR REPLACE FUNCTION triage_retrain(cutoff timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE tickets IN ACCESS SHARE MODE; -- in the order in which a change of a ticket locks tables
    LOCK TABLE triage_text_counts IN EXCLUSIVE MODE;
    DELETE FROM triage_text_counts;
    DELETE FROM triage_token_counts;
    UPDATE triage_training AS training SET cutoff = triage_retrain.cutoff;
    WITH text AS (
        SELECT example.text_hash, example.buckets, triage_sum(example.label_counts, 1) AS label_counts
        FROM tickets AS t
        CROSS JOIN LATERAL training_example(t) AS example
        WHERE category_label(t) IS NOT NULL OR priority_label(t) IS NOT NULL
        GROUP BY example.text_hash, example.buckets
    ),
    counted AS (
        INSERT INTO triage_text_counts (text_hash, label_counts) SELECT text.text_hash, text.label_counts FROM text
    )
    INSERT INTO triage_token_counts (bucket, label_counts)
    SELECT same.bucket, triage_sum(same.labels, same.weight)
    FROM (
        SELECT token.bucket, majority.labels, sum(token.weight) AS weight
        FROM text
        CROSS JOIN LATERAL (SELECT majority_labels(text.label_counts) OFFSET 0) AS majority (labels) -- once a text
        CROSS JOIN LATERAL token_weights(text.buckets) AS token
        GROUP BY token.bucket, majority.labels
    ) AS same
    GROUP BY same.bucket;
    RETURN (SELECT count(*) FROM triage_text_counts);
END $$;
