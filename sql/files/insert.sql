-- Creates the staged tickets. Those of a file have no suggestion, so they are no training examples.
-- statement_timestamp() and not now(), the start of the upload: a client that polls for the newest tickets sees these.
-- A ticket without a time of resolution has none, whatever its status: unknown is not the same as immediate.
-- $1 created_by: the name of the client's API key; NULL when keys are not required
-- $2 created_request: the request id; NULL without a request
-- $3 after_number: the last one that is stored already, in the order of sql/files/order.sql
-- $4 limit: how many to store
-- $5 counting: `deferred`, or '' for the last ones: their trigger applies the deltas of all (count_created)
INSERT INTO tickets (
    id, created_at, updated_at, resolved_at, title, description, category, priority, status,
    requester, assignee, tags, metadata, first_response_at,
    suggested_category, category_confidence, suggested_priority, priority_confidence, suggested_by,
    created_by, created_request
)
SELECT
    uuid_v7(created.at),
    created.at,
    greatest(coalesce(s.updated_at, greatest(s.resolved_at, s.first_response_at)), created.at),
    s.resolved_at,
    s.title,
    s.description,
    coalesce(s.category, 'general'::ticket_category),
    coalesce(s.priority, 'medium'::ticket_priority),
    coalesce(s.status, 'open'::ticket_status),
    s.requester,
    s.assignee,
    s.tags,
    metadata_merge(NULL, s.metadata),
    s.first_response_at,
    s.suggested_category,
    s.category_confidence,
    s.suggested_priority,
    s.priority_confidence,
    s.suggested_by,
    $1::text,
    $2::text
FROM staged_tickets AS s
CROSS JOIN LATERAL (SELECT coalesce(s.created_at, statement_timestamp()) AS at) AS created
CROSS JOIN (SELECT set_config('ticketsvc.counting', $5::text, true)) AS counting
WHERE s.ctid = ANY (ARRAY(
        SELECT o.ticket
        FROM staged_order AS o
        WHERE o.number > $3::bigint AND o.number <= $3::bigint + $4::bigint
    ))
ORDER BY created.at
