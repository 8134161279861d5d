-- Condition: the ticket `t` meets all filters but the search.
/* include: driver */ true
    AND /* include: facets */ true
    AND /* include: created */ true
    AND /* include: others */ true
