-- Condition: the classifier suggested labels of the ticket `t` when it was created, and nobody has changed it since.
t.version = 1 AND t.status = 'open' AND t.suggested_by NOT IN ('default', 'reclassify')
