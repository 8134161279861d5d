-- A page of the tickets with the given facets, last changed first: the heads of the combinations, merged.
-- $1 limit
-- $2 categories: the values allowed
-- $3 priorities: the values allowed
-- $4 statuses: the values allowed
-- $5 created_since: inclusive; NULL: any
-- $6 created_before: exclusive; NULL: any
-- $7 updated_since: inclusive; NULL: any
-- $8 updated_before: exclusive; NULL: any
-- $9 after_id: the id of the last ticket of the page before; NULL: the first page
-- $10 after_key: its updated_at
SELECT (SELECT ticket_json(t) FROM tickets AS t WHERE t.id = page.id), page.id, page.updated_at
FROM (
    SELECT head.id, head.updated_at
    FROM unnest($2::ticket_category[]) AS c
    CROSS JOIN unnest($3::ticket_priority[]) AS p
    CROSS JOIN unnest($4::ticket_status[]) AS s
    CROSS JOIN LATERAL (
        SELECT t.id, t.updated_at
        FROM tickets AS t
        WHERE t.category = c AND t.priority = p AND t.status = s
            AND (t.updated_at, t.id) < (coalesce($10::timestamptz, 'infinity'), coalesce($9::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
            AND t.updated_at >= coalesce($7::timestamptz, '-infinity')
            AND t.updated_at < coalesce($8::timestamptz, 'infinity')
            AND t.id >= greatest(uuid_v7_floor($5::timestamptz), '00000000-0000-0000-0000-000000000000')
            AND t.id < least(uuid_v7_floor($6::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        ORDER BY t.updated_at DESC, t.id DESC
        LIMIT $1::integer
    ) AS head
    ORDER BY head.updated_at DESC, head.id DESC
    LIMIT $1::integer
) AS page
ORDER BY page.updated_at DESC, page.id DESC
