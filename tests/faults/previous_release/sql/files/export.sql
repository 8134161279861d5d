-- All tickets with these filters, oldest first, each as a line of a file: JSON, or CSV (RFC 4180).
-- $1 csv: whether it is CSV; its columns are those of the header in ticketsvc/store/exports.py
-- $2 categories: the values allowed
-- $3 priorities: the values allowed
-- $4 statuses: the values allowed
-- $5 created_since: inclusive; NULL: any
-- $6 created_before: exclusive; NULL: any
-- $7 updated_since: inclusive; NULL: any
-- $8 updated_before: exclusive; NULL: any
-- $9 search_patterns: for LIKE, in any letter case; all must match
-- $10 excluded_patterns: none may match
-- $11 index_patterns: those of search_patterns to look up in the index, at most four
-- $12 index_regex: another condition for the index, true of every text that matches search_patterns; '': none
SELECT CASE
    WHEN $1::boolean THEN
        t.id
        || ',"' || replace(t.title, '"', '""')
        || '","' || replace(t.description, '"', '""')
        || '",' || t.category
        || ',' || t.priority
        || ',' || t.status
        || ',' || rfc3339(t.created_at)
        || ',' || rfc3339(t.updated_at)
        || ',' || t.version
        || E'\r\n'
    ELSE ticket_json(t) || E'\n'
END
FROM tickets AS t
WHERE t.category = ANY ($2::ticket_category[])
    AND t.priority = ANY ($3::ticket_priority[])
    AND t.status = ANY ($4::ticket_status[])
    AND t.id >= greatest(uuid_v7_floor($5::timestamptz), '00000000-0000-0000-0000-000000000000')
    AND t.id < least(uuid_v7_floor($6::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    AND t.updated_at >= coalesce($7::timestamptz, '-infinity')
    AND t.updated_at < coalesce($8::timestamptz, 'infinity')
    AND (
        $9::text[] || $10::text[] = '{}'
        OR t.id IN (SELECT tickets_with_text($9::text[], $10::text[], $11::text[], $12::text))
    )
ORDER BY t.id
