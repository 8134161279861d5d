-- Inserts the texts that are pending into the indexes of texts, and returns the number of pages they took. Runs with the
-- rights of the owner of the indexes, which gin_clean_pending_list() demands: the service's role owns nothing.
CREATE OR REPLACE FUNCTION index_pending_texts() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT
    AS $$
        SELECT gin_clean_pending_list('ticket_texts_search')
            + coalesce(gin_clean_pending_list(to_regclass('comments_search')), 0)
    $$;
