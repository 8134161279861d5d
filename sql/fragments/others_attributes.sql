-- Condition: the ticket with the id and updated_at of `t`, which has an attribute of the rarest group, meets the filters that
-- are neither facets nor creation times nor words of the text. `t` may be a row of ticket_attributes.
-- $1 updated_since: inclusive; NULL means any
-- $2 updated_before: exclusive; NULL means any
-- $3 has_more_groups: whether there are filters by other attributes
(t.updated_at >= $1::timestamptz) IS NOT FALSE
    AND (t.updated_at < $2::timestamptz) IS NOT FALSE
    AND (NOT $3::boolean OR EXISTS (
        SELECT
        FROM (SELECT t.id) AS listed
        CROSS JOIN tickets AS t
        WHERE t.id = listed.id
            AND /* include: people */ true
    ))
