-- Returns that one of several groups of attributes which the fewest tickets have, in the form of ticket_attributes. People
-- are folded here. It counts up to 1,000 tickets.
-- depends: attributes_share, search_fold
CREATE OR REPLACE FUNCTION rarest_attributes(groups jsonb) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (
        SELECT folded.attributes
        FROM jsonb_array_elements(groups) WITH ORDINALITY AS wanted (attributes, number)
        CROSS JOIN LATERAL (
            SELECT ARRAY(
                SELECT CASE WHEN attribute ~ '^(requester|assignee) ' THEN search_fold(attribute) ELSE attribute END
                FROM jsonb_array_elements_text(wanted.attributes) AS attribute
            ) AS attributes
            OFFSET 0
        ) AS folded
        CROSS JOIN LATERAL (
            SELECT count(*) AS tickets
            FROM (
                SELECT
                FROM unnest(folded.attributes) AS attribute
                CROSS JOIN LATERAL (
                    SELECT FROM ticket_attributes AS t WHERE t.attribute = attribute.attribute LIMIT 1000
                ) AS t
                WHERE jsonb_array_length(groups) > 1
                LIMIT 1000
            ) AS counted
        ) AS size
        ORDER BY
            size.tickets,
            CASE WHEN size.tickets = 1000 THEN attributes_share(folded.attributes) END NULLS FIRST,
            wanted.number
        LIMIT 1
    );
