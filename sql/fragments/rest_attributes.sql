-- Condition: the same for the ticket of the row `t`, which has an attribute of the rarest group. There may be filters by others.
/* include: others */ true
