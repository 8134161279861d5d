-- How many tickets a list with these filters and this text has, over all its pages.
-- It looks at every ticket that the index finds; where no word is one for the index, at every ticket.
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
SELECT count(*)
FROM tickets_with_text($8::text[], $9::text[], $10::text[], $11::text) AS x (id)
JOIN tickets AS t ON t.id = x.id
WHERE t.category = ANY ($1::ticket_category[])
    AND t.priority = ANY ($2::ticket_priority[])
    AND t.status = ANY ($3::ticket_status[])
    AND t.id >= greatest(uuid_v7_floor($4::timestamptz), '00000000-0000-0000-0000-000000000000')
    AND t.id < least(uuid_v7_floor($5::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    AND t.updated_at >= coalesce($6::timestamptz, '-infinity')
    AND t.updated_at < coalesce($7::timestamptz, 'infinity')
