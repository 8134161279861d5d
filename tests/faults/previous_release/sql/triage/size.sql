-- How much was learned: the number of texts that teach, of words with a weight, of those counted for the categories and
-- for the priorities, and the bytes of it all on disk with indexes.
SELECT
    (SELECT count(*) FROM triage_texts) AS texts,
    (SELECT count(*) FROM triage_weights WHERE bucket >= 0) AS words,
    coalesce((SELECT sum(weight) FROM triage_weights, unnest(weights[1:4]) AS weight WHERE bucket = -1), 0)::bigint / 100
        AS category_words,
    coalesce((SELECT sum(weight) FROM triage_weights, unnest(weights[5:8]) AS weight WHERE bucket = -1), 0)::bigint / 100
        AS priority_words,
    pg_total_relation_size('triage_texts') + pg_total_relation_size('triage_weights') AS bytes
