-- Copies the tickets of a file to the staging table.
COPY staged_tickets (
    title, description, category, priority, status, created_at, updated_at, resolved_at,
    requester, assignee, tags, metadata, first_response_at,
    suggested_category, category_confidence, suggested_priority, priority_confidence, suggested_by
) FROM STDIN
