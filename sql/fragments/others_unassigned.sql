-- Condition: the ticket `t`, which has no assignee, meets the filters that are neither facets nor creation times nor words of
-- the text. There are none by attributes.
-- $1 updated_since: inclusive; NULL means any
-- $2 updated_before: exclusive; NULL means any
(t.updated_at >= $1::timestamptz) IS NOT FALSE
    AND (t.updated_at < $2::timestamptz) IS NOT FALSE
