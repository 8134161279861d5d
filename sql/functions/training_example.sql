-- Returns a ticket as a training example: the hash of its tokens, their buckets, and the label counts: 1 for each
-- label that a person kept or set, at most one for the category and one for the priority. No row when the ticket has
-- no such label or no tokens, or is older than the cutoff.
-- depends: training_labels, triage_tokens
CREATE OR REPLACE FUNCTION training_example(t tickets)
    RETURNS TABLE (text_hash uuid, buckets integer[], label_counts bigint[])
    LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT md5(tokens.buckets::text)::uuid, tokens.buckets, example.label_counts
    FROM triage_training
    CROSS JOIN LATERAL (
        SELECT array_agg(
            coalesce(label::text IN (category_label(t)::text, priority_label(t)::text), false)::integer::bigint
            ORDER BY label
        )
        FROM unnest(enum_range(NULL::triage_label)) AS label
        WHERE category_label(t) IS NOT NULL OR priority_label(t) IS NOT NULL
    ) AS example (label_counts)
    CROSS JOIN LATERAL (
        SELECT array_agg(token.bucket ORDER BY token.bucket)
        FROM triage_tokens(t.title || E'\n' || t.description) AS token
    ) AS tokens (buckets)
    WHERE t.created_at >= triage_training.cutoff AND example.label_counts IS NOT NULL AND tokens.buckets IS NOT NULL;
END;
