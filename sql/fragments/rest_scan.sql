-- Condition: none here: the statement looks at the tickets that are read and checks the other filters itself.
true
