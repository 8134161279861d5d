-- Condition: the text of the ticket `t` matches the search.
/* include: text_if_any */ true
