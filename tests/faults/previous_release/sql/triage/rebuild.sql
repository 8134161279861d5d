-- Counts the lessons of all tickets again, also of those from before a reset. Answers how many different texts teach.
SELECT triage_rebuild('-infinity')
