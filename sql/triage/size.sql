-- Returns the size of the training data: different texts, different words, words counted for the categories and for the
-- priorities, and bytes on disk, indexes included.
-- Retry: safe
SELECT
    (SELECT count(*) FROM triage_text_counts) AS texts,
    (SELECT count(*) FROM triage_token_counts WHERE bucket >= 0) AS words,
    coalesce(
        (SELECT sum(count) FROM triage_token_counts, unnest(label_counts[1:4]) AS count WHERE bucket = -1), 0
    )::bigint / 100 AS category_words,
    coalesce(
        (SELECT sum(count) FROM triage_token_counts, unnest(label_counts[5:8]) AS count WHERE bucket = -1), 0
    )::bigint / 100 AS priority_words,
    pg_total_relation_size('triage_text_counts') + pg_total_relation_size('triage_weights')
        + pg_total_relation_size('triage_author_counts') + pg_total_relation_size('triage_examples') AS bytes
