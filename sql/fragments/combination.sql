-- Condition: the ticket `t` has the facets of the combination `facets`.
t.category = facets.category AND t.priority = facets.priority AND t.status = facets.status
