-- Assigns the most urgent, then oldest ticket that matches the filters, and returns it; its status becomes in_progress. The
-- filters let through only open tickets without an assignee. No row: there is none. A row of NULLs: none of the candidates
-- can be claimed, and there may be more behind them, so that a larger head_limit is needed.
-- Candidates have the facets and an attribute of the rarest group, or no assignee. The join checks them for the other filters in
-- order, until one can be locked, so that exactly one row is. Those that others have locked are skipped: no claim waits for
-- another. One that another transaction has changed since the snapshot is checked as it is now. The lock lets comments be
-- added meanwhile.
-- Contract with the trigger ticket_history_changed: as in sql/tickets/update.sql.
-- $1 assignee
-- $2 author: who makes the change: the request id, a space, the name of the API key
-- $3 head_limit: how many candidates of each combination of facets are read
WITH heads AS MATERIALIZED (
    SELECT head.id, head.priority, head.place
    FROM /* include: facet_combinations */ tickets AS facets
    CROSS JOIN LATERAL (
        SELECT t.id, t.priority, row_number() OVER (ORDER BY t.id) AS place
        FROM /* attributes: ticket_attributes */ tickets AS t
        WHERE /* include: combination */ true
            AND /* include: created */ true
            AND /* include: text_if_any */ true
        ORDER BY t.id
        LIMIT $3::integer
    ) AS head
),
scan_end AS MATERIALIZED ( -- where the first head ends: behind it, candidates of that combination are missing
    SELECT id, priority FROM heads WHERE place = $3::integer ORDER BY priority DESC, id LIMIT 1
),
locked AS MATERIALIZED (
    SELECT t.id
    FROM (
        SELECT DISTINCT heads.priority, heads.id
        FROM heads
        LEFT JOIN scan_end AS last ON true
        WHERE last.id IS NULL
            OR heads.priority > last.priority
            OR (heads.priority = last.priority AND heads.id <= last.id)
        ORDER BY heads.priority DESC, heads.id
        OFFSET 0
    ) AS head
    CROSS JOIN LATERAL (
        SELECT t.id
        FROM tickets AS t
        WHERE t.id = head.id
            AND t.assignee IS NULL
            AND /* include: facets */ true
            AND /* include: updated */ true
            AND /* include: people */ true
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS t
    ORDER BY head.priority DESC, head.id
    LIMIT 1
),
claimed AS (
    UPDATE tickets AS t
    SET assignee = $1::text,
        status = 'in_progress',
        version = t.version + 1,
        updated_at = greatest(now(), t.updated_at)
    FROM locked
    WHERE t.id = locked.id
    RETURNING ticket_json(t) AS ticket, t.version, set_config('ticketsvc.author', $2::text, true)
)
SELECT ticket, version FROM claimed
UNION ALL
SELECT NULL, NULL FROM scan_end WHERE NOT EXISTS (SELECT FROM claimed)
