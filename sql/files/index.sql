-- Inserts the pending texts of new tickets into the trigram index, and returns the number of pages they took.
-- Retry: safe
SELECT gin_clean_pending_list('ticket_texts_search')
