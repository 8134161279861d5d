-- Returns who makes the change of a ticket that is under way: the request id, a space, the name of the API key; either may be
-- empty. NULL or empty means a change by hand. A statement says it in the setting ticketsvc.author, or, if its changes have
-- different authors, in ticketsvc.authors: an object with the author of each change by the ticket's id.
CREATE OR REPLACE FUNCTION ticket_author(ticket_id uuid) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(
        nullif(current_setting('ticketsvc.authors', true), '')::jsonb ->> ticket_id::text,
        current_setting('ticketsvc.author', true)
    );
