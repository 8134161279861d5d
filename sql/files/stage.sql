-- Creates the staging table for the tickets of a file, all of which are valid. It is dropped at the end of the transaction.
CREATE TEMPORARY TABLE staged_tickets (
    title text NOT NULL,
    description text NOT NULL,
    category ticket_category,
    priority ticket_priority,
    status ticket_status,
    created_at timestamptz,
    updated_at timestamptz,
    resolved_at timestamptz,
    requester text,
    assignee text,
    tags text[],
    metadata jsonb,
    first_response_at timestamptz,
    suggested_category ticket_category,
    category_confidence real,
    suggested_priority ticket_priority,
    priority_confidence real,
    suggested_by text
) ON COMMIT DROP
