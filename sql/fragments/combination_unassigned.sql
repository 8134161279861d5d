-- Condition: the ticket `t` has the facets of the combination `facets`, and no assignee. Indexes of such tickets serve it.
t.assignee IS NULL
    AND t.category = facets.category AND t.priority = facets.priority AND t.status = facets.status
