-- Condition: which tickets to read. Variants read only those with an attribute, or only those without an assignee.
true
