-- Condition: the ticket `t`, which has no assignee, meets the filters that are neither facets nor creation times nor words of
-- the text. There are none by attributes.
/* include: updated_if_any */ true
