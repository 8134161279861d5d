-- Condition: the row `t` of ticket_attributes has the attribute and the facets of the combination `facets`.
t.attribute = facets.attribute
    AND t.category = facets.category AND t.priority = facets.priority AND t.status = facets.status
