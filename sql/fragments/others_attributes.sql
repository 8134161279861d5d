-- Condition: the ticket with the id and updated_at of `t`, which has an attribute of the rarest group, meets the filters that
-- are neither facets nor creation times nor words of the text. `t` may be a row of ticket_attributes.
-- $1 has_more_groups: whether there are filters by other attributes
/* include: updated_if_any */ true
    AND (NOT $1::boolean OR EXISTS (
        SELECT
        FROM (SELECT t.id) AS listed
        CROSS JOIN tickets AS t
        WHERE t.id = listed.id
            AND /* include: people */ true
    ))
