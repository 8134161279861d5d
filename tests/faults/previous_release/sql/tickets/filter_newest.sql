-- A page of the tickets with the given facets, newest first: the heads of the combinations, merged.
-- AT TIME ZONE keeps the planner from the index by updated_at: it expects few rows between two times it does not know.
-- $1 limit
-- $2 categories: the values allowed
-- $3 priorities: the values allowed
-- $4 statuses: the values allowed
-- $5 created_since: inclusive; NULL: any
-- $6 created_before: exclusive; NULL: any
-- $7 updated_since: inclusive; NULL: any
-- $8 updated_before: exclusive; NULL: any
-- $9 after_id: the id of the last ticket of the page before; NULL: the first page
SELECT (SELECT ticket_json(t) FROM tickets AS t WHERE t.id = page.id), page.id
FROM (
    SELECT head.id
    FROM unnest($2::ticket_category[]) AS c
    CROSS JOIN unnest($3::ticket_priority[]) AS p
    CROSS JOIN unnest($4::ticket_status[]) AS s
    CROSS JOIN LATERAL (
        SELECT t.id
        FROM tickets AS t
        WHERE t.category = c AND t.priority = p AND t.status = s
            AND t.id < least($9::uuid, uuid_v7_floor($6::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
            AND t.id >= greatest(uuid_v7_floor($5::timestamptz), '00000000-0000-0000-0000-000000000000')
            AND t.updated_at AT TIME ZONE 'UTC' >= coalesce($7::timestamptz, '-infinity') AT TIME ZONE 'UTC'
            AND t.updated_at AT TIME ZONE 'UTC' < coalesce($8::timestamptz, 'infinity') AT TIME ZONE 'UTC'
        ORDER BY t.id DESC
        LIMIT $1::integer
    ) AS head
    ORDER BY head.id DESC
    LIMIT $1::integer
) AS page
ORDER BY page.id DESC
