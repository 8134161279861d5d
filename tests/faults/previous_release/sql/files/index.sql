-- Sorts the texts of new tickets into the trigram index, and answers how many pages of them there were.
SELECT gin_clean_pending_list('ticket_texts_search')
