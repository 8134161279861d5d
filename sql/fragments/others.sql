-- Condition: the ticket `t` meets the filters that are neither facets nor creation times nor words of the text.
/* include: updated_if_any */ true
    AND /* include: people */ true
