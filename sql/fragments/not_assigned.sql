-- Condition: the ticket `t` has no assignee. The combinations of facets of unassigned tickets say so already.
true
