-- Condition: the ticket `t` was last changed within the window, if there is one.
-- `IS NOT FALSE` lets NULL mean any, and keeps the planner from the index by updated_at: it expects few rows between
-- two unknown times, and would read and sort all of them for one page.
-- $1 updated_since: inclusive; NULL means any
-- $2 updated_before: exclusive; NULL means any
(t.updated_at >= $1::timestamptz) IS NOT FALSE
    AND (t.updated_at < $2::timestamptz) IS NOT FALSE
