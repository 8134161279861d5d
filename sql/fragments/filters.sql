-- Condition: the ticket `t` meets all filters but the search.
/* include: facets */ true
    AND /* include: created */ true
    AND /* include: others */ true
