-- Counts all tickets anew, while others go on writing.
SELECT recount_tickets()
