-- Assigns the most urgent, then oldest ticket that matches the filters, and returns it; its status becomes in_progress. The
-- filters let through only open tickets without an assignee. No row: there is none. A row of NULLs: none of the candidates
-- can be claimed, and there may be more behind them, so that a larger head_limit is needed.
-- One priority after the other is looked at, until one has a ticket. Its candidates have the facets and an attribute of the
-- rarest group, or no assignee. The join checks them for the other filters in order, until one can be locked, so that
-- exactly one row is. Those that others have locked are skipped: no claim waits for another. One that another transaction
-- has changed since the snapshot is checked as it is now. The lock lets comments be added meanwhile.
-- Contract with the trigger ticket_history_changed: as in sql/tickets/update.sql.
-- Cost: high with updated_since updated_before
-- Position: after
-- $1 assignee
-- $2 author: who makes the change: the request id, a space, the name of the API key
-- $3 head_limit: how many candidates of each combination of facets are read
-- $4 priorities: the allowed values
WITH next AS MATERIALIZED (
    SELECT pick.id
    FROM (SELECT priority FROM unnest($4::ticket_priority[]) AS priority ORDER BY priority DESC OFFSET 0) AS urgency
    CROSS JOIN LATERAL (
        WITH heads AS MATERIALIZED (
            SELECT head.id, head.place
            FROM /* include: facet_combinations */ tickets AS facets
            CROSS JOIN LATERAL (
                SELECT t.id, row_number() OVER (ORDER BY t.id) AS place
                FROM /* attributes: ticket_attributes */ tickets AS t
                WHERE /* include: combination */ true
                    AND /* include: not_assigned */ true
                    AND /* include: created */ true
                    AND /* include: updated_if_any */ true
                    AND /* include: searched */ true
                ORDER BY t.id
                LIMIT $3::integer
            ) AS head
            WHERE facets.priority = urgency.priority
        ),
        head_end AS MATERIALIZED ( -- where the first head ends: behind it, candidates of that combination are missing
            SELECT id FROM heads WHERE place = $3::integer ORDER BY id LIMIT 1
        ),
        locked AS (
            SELECT t.id
            FROM (
                SELECT DISTINCT heads.id
                FROM heads
                WHERE heads.id <= coalesce((SELECT id FROM head_end), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                ORDER BY heads.id
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
            LIMIT 1
        )
        SELECT id FROM locked
        UNION ALL
        SELECT NULL FROM head_end
        LIMIT 1
    ) AS pick
    LIMIT 1
),
claimed AS (
    UPDATE tickets AS t
    SET assignee = $1::text,
        status = 'in_progress',
        version = t.version + 1,
        updated_at = greatest(now(), t.updated_at)
    FROM next
    WHERE t.id = next.id
    RETURNING ticket_json(t) AS ticket, t.version, note_change('ticketsvc.author', $2::text, t.id)
)
SELECT ticket, version FROM claimed
UNION ALL
SELECT NULL, NULL FROM next WHERE next.id IS NULL
