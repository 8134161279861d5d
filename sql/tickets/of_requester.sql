-- Returns how many tickets a requester has, and how many comments those have.
-- Retry: safe
-- Cost: high
-- $1 requester: in any letter case
SELECT count(*), coalesce(sum((SELECT count(*) FROM comments AS c WHERE c.ticket_id = a.id)), 0)::bigint
FROM ticket_attributes AS a
WHERE a.attribute = 'requester ' || search_fold($1::text)
