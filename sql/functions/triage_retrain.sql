-- Recomputes all label and token counts from the tickets created since the cutoff, and returns the number of
-- different texts. Changes that would update the counts wait until it has finished; reads do not.
CREATE OR REPLACE FUNCTION triage_retrain(cutoff timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE tickets IN ACCESS SHARE MODE; -- in the order in which a change of a ticket locks tables
    LOCK TABLE triage_text_counts IN EXCLUSIVE MODE;
    DELETE FROM triage_text_counts;
    DELETE FROM triage_weights;
    DELETE FROM triage_author_counts;
    UPDATE triage_training AS training SET cutoff = triage_retrain.cutoff;
    PERFORM triage_record_authors();
    WITH text AS (
        SELECT coalesce(e.author, '') AS author, triage_text_hash(example.text_hash, coalesce(e.author, '')) AS text_hash,
            example.buckets, triage_sum(example.label_counts, 1) AS label_counts
        FROM tickets AS t
        LEFT JOIN triage_examples AS e ON e.ticket_id = t.id
        CROSS JOIN LATERAL training_example(t) AS example
        WHERE (category_label(t) IS NOT NULL OR priority_label(t) IS NOT NULL) AND e.is_forgotten IS NOT TRUE
        GROUP BY e.author, example.text_hash, example.buckets
    ),
    counted AS (
        INSERT INTO triage_text_counts (text_hash, label_counts) SELECT text.text_hash, text.label_counts FROM text
    ),
    learned AS (
        SELECT same.author, same.bucket, triage_sum(same.labels, same.weight) AS label_counts
        FROM (
            SELECT text.author, token.bucket, majority.labels, sum(token.weight) AS weight
            FROM text
            CROSS JOIN LATERAL (SELECT majority_labels(text.label_counts) OFFSET 0) AS majority (labels) -- once a text
            CROSS JOIN LATERAL token_weights(text.buckets) AS token
            GROUP BY text.author, token.bucket, majority.labels
        ) AS same
        GROUP BY same.author, same.bucket
    ),
    by_author AS (
        INSERT INTO triage_author_counts (bucket, author, label_counts)
        SELECT l.bucket, l.author, l.label_counts FROM learned AS l WHERE l.author <> ''
    )
    INSERT INTO triage_weights (bucket, weights)
    SELECT l.bucket, triage_sum(l.label_counts, 1) FROM learned AS l GROUP BY l.bucket;
    PERFORM triage_mark_minor_keys();
    RETURN (SELECT count(*) FROM triage_text_counts);
END $$;
