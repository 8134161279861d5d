-- Inserts the pending texts of new tickets into the trigram index.
-- Retry: safe
-- Cost: high
SELECT index_pending_texts()
