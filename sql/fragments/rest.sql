-- Condition: the ticket `t` meets the filters that are neither facets nor creation times nor words of the text, for variants
-- that the filters choose: there are none by attributes here. Without conditions on them, an index alone serves a list.
/* include: updated_if_any */ true
