-- Creates the staged tickets. They get no suggestion, so they are no training examples.
-- statement_timestamp() and not now(), the start of the upload: a client that polls for the newest tickets sees these.
-- A ticket without a time of resolution has none, whatever its status: unknown is not the same as immediate.
-- Tickets are written in the order of creation, whatever the file's: a search by week finds a week in one place.
-- $1 created_by: the name of the client's API key; NULL when keys are not required
-- $2 created_request: the request id; NULL without a request
INSERT INTO tickets (
    id, created_at, updated_at, resolved_at, title, description, category, priority, status, created_by, created_request
)
SELECT
    uuid_v7(s.created_at),
    s.created_at,
    greatest(coalesce(s.updated_at, s.resolved_at), s.created_at),
    s.resolved_at,
    s.title,
    s.description,
    coalesce(s.category, 'general'::ticket_category),
    coalesce(s.priority, 'medium'::ticket_priority),
    coalesce(s.status, 'open'::ticket_status),
    $1::text,
    $2::text
FROM (
    SELECT
        coalesce(staged.created_at, statement_timestamp()) AS created_at,
        staged.updated_at,
        staged.resolved_at,
        staged.title,
        staged.description,
        staged.category,
        staged.priority,
        staged.status
    FROM staged_tickets AS staged
    ORDER BY 1
) AS s
