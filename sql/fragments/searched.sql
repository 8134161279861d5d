-- Condition: the text of the ticket `t` matches the search. The variant `search` checks it; without it there is no search, and
-- the statement is spared a large plan.
true
