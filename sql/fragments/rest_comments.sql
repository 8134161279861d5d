-- Condition: the same for searches in comments, which have one variant for all filters.
/* include: others */ true
