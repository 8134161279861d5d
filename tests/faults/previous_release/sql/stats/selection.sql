-- The statistics of the tickets that any filters select, in one snapshot, read from the tickets themselves.
-- $1 categories: the values allowed
-- $2 priorities: the values allowed
-- $3 statuses: the values allowed
-- $4 created_since: inclusive; NULL: any
-- $5 created_before: exclusive; NULL: any
-- $6 updated_since: inclusive; NULL: any
-- $7 updated_before: exclusive; NULL: any
-- $8 search_patterns: for LIKE, in any letter case; all must match
-- $9 excluded_patterns: none may match
-- $10 index_patterns: those of search_patterns to look up in the index, at most four
-- $11 index_regex: another condition for the index, true of every text that matches search_patterns; '': none
SELECT headline_json(
    count(*),
    count(*) FILTER (WHERE t.status = 'open'),
    min(t.created_at),
    max(t.created_at),
    count(*) FILTER (WHERE t.priority = 'low'),
    count(*) FILTER (WHERE t.priority = 'medium'),
    count(*) FILTER (WHERE t.priority = 'high'),
    count(*) FILTER (WHERE t.priority = 'critical'),
    count(*) FILTER (WHERE t.category = 'billing'),
    count(*) FILTER (WHERE t.category = 'technical'),
    count(*) FILTER (WHERE t.category = 'account'),
    count(*) FILTER (WHERE t.category = 'general')
)
FROM tickets AS t
WHERE t.category = ANY ($1::ticket_category[])
    AND t.priority = ANY ($2::ticket_priority[])
    AND t.status = ANY ($3::ticket_status[])
    AND t.id >= greatest(uuid_v7_floor($4::timestamptz), '00000000-0000-0000-0000-000000000000')
    AND t.id < least(uuid_v7_floor($5::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    AND t.updated_at >= coalesce($6::timestamptz, '-infinity')
    AND t.updated_at < coalesce($7::timestamptz, 'infinity')
    AND (
        $8::text[] || $9::text[] = '{}'
        OR t.id IN (SELECT tickets_with_text($8::text[], $9::text[], $10::text[], $11::text))
    )
