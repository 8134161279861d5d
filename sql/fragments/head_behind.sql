-- Condition: the ticket `t` of the combination `facets` is behind a position in the order of the list.
/* include: behind */ true
