-- Table: each combination of allowed facets. Lists merge the heads of all combinations, each read along an index.
-- $1 categories: the allowed values
-- $2 priorities: the allowed values
-- $3 statuses: the allowed values
(
    SELECT category, priority, status
    FROM unnest($1::ticket_category[]) AS category
    CROSS JOIN unnest($2::ticket_priority[]) AS priority
    CROSS JOIN unnest($3::ticket_status[]) AS status
)
