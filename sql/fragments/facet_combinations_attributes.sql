-- Table: each combination of allowed facets with an attribute of the rarest group. Lists merge the heads of all
-- combinations, each read along an index of ticket_attributes.
-- $1 categories: the allowed values
-- $2 priorities: the allowed values
-- $3 statuses: the allowed values
-- $4 attribute_groups: of each group a ticket has an attribute
(
    SELECT category, priority, status, attribute
    FROM unnest((SELECT rarest_attributes($4::jsonb))) AS attribute
    CROSS JOIN unnest($1::ticket_category[]) AS category
    CROSS JOIN unnest($2::ticket_priority[]) AS priority
    CROSS JOIN unnest($3::ticket_status[]) AS status
)
