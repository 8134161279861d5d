-- Returns the API keys that have taught, by name: the number of their training examples, how many of them are forgotten,
-- and their share of all counted words, from 0 to 1.
-- Retry: safe
SELECT e.author, count(*), count(*) FILTER (WHERE e.is_forgotten), coalesce(max(share.value), 0)
FROM triage_examples AS e
JOIN tickets AS t ON t.id = e.ticket_id
JOIN triage_training ON t.created_at >= triage_training.cutoff
LEFT JOIN LATERAL (
    SELECT triage_total(a.label_counts)::float8 / nullif(triage_total(w.label_counts), 0)
    FROM triage_author_counts AS a
    JOIN triage_token_counts AS w USING (bucket)
    WHERE a.bucket = -1 AND a.author = e.author
) AS share (value) ON true
GROUP BY e.author
ORDER BY e.author
