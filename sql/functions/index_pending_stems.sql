-- Inserts the stems that are pending into their index, and returns the number of pages they took. Runs with the rights of the
-- owner of the index, which gin_clean_pending_list() demands: the service's role owns nothing.
CREATE OR REPLACE FUNCTION index_pending_stems() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT
    AS $$
        SELECT gin_clean_pending_list('ticket_stems_search')
    $$;
