-- Comments on tickets, what the history says of them, the index of first response times, and API keys that are limited to
-- public comments. It runs outside a transaction, while the previous release is running: no lock is held while the table
-- is read. Every statement may run again.
-- depends: 0010_people
-- transactional: false

-- `version` is the version of the ticket that the comment made: comments of a ticket are in its order. There is no foreign
-- key: triggers of the tickets delete the comments, also after a TRUNCATE.
CREATE TABLE IF NOT EXISTS comments (
    ticket_id uuid NOT NULL,
    version integer NOT NULL,
    id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    author text,
    internal boolean NOT NULL,
    body text NOT NULL,
    search_text text NOT NULL, -- comment_text(body)
    CONSTRAINT comments_pkey PRIMARY KEY (ticket_id, version),
    CONSTRAINT comments_id_unique UNIQUE (id),
    CONSTRAINT comments_author_in_range CHECK (char_length(author) <= 255)
);
-- The same conditions as of ticket_texts_search.
CREATE INDEX IF NOT EXISTS comments_search
    ON comments USING gin (search_text gin_trgm_ops, search_pairs(search_text));

-- Set by entries of events that concern a comment: its id, author and whether it is internal.
ALTER TABLE ticket_history ADD COLUMN IF NOT EXISTS comment jsonb;
ALTER TYPE history_event ADD VALUE IF NOT EXISTS 'commented' AFTER 'changed';
ALTER TYPE history_event ADD VALUE IF NOT EXISTS 'comment_deleted' AFTER 'commented';

ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS public_only boolean NOT NULL DEFAULT false;

DROP INDEX CONCURRENTLY IF EXISTS tickets_responded;
CREATE INDEX CONCURRENTLY tickets_responded
    ON tickets (id) INCLUDE (category, priority, status, created_at, first_response_at)
    WHERE first_response_at IS NOT NULL;

-- Roles that may write the search texts may write the comments.
DO $$
DECLARE
    permission text;
BEGIN
    FOR permission IN
        SELECT format(
            'GRANT %s ON comments TO %s', acl.privilege_type, coalesce(quote_ident(role.rolname), 'PUBLIC')
        )
        FROM pg_class
        CROSS JOIN LATERAL aclexplode(pg_class.relacl) AS acl
        LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'ticket_texts'::regclass
    LOOP
        EXECUTE permission;
    END LOOP;
END $$;
