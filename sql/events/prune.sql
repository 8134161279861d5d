-- Deletes events of changes before a time, but never the newest one, whose number the next continues, and none
-- behind one that is kept: the oldest number tells readers what is gone. So another pruner is waited for, and times,
-- which are not in the order of the numbers, do not decide alone. Returns how many there were, at most 5,000: no lock is
-- held for long.
-- Retry: safe
-- $1 days: how long events are kept
WITH oldest AS MATERIALIZED (
    SELECT e.seq, e.at
    FROM events AS e
    WHERE e.seq < (SELECT max(newest.seq) FROM events AS newest)
    ORDER BY e.seq
    LIMIT 5000
    FOR UPDATE
),
pruned AS (
    DELETE FROM events AS e
    USING oldest
    WHERE e.seq = oldest.seq
        AND e.seq < coalesce(
            (SELECT min(kept.seq) FROM oldest AS kept WHERE kept.at >= now() - $1::integer * interval '1 day'),
            9223372036854775807
        )
    RETURNING e.seq
)
SELECT count(*) FROM pruned
