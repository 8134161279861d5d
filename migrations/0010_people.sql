-- People and attributes of tickets: requester, assignee, tags, metadata, and the time of the first response.
-- It runs outside a transaction, while the previous release is running: no lock is held while the table is read.
-- Every statement may run again.
-- depends: 0009_search_pairs
-- transactional: false

-- All of these are NULL for a ticket that does not use them: then they take no room in the row. The trigger tickets_valid
-- checks their ranges, and those that CHECK constraints checked so far, at a fraction of the cost.
ALTER TABLE tickets
    ADD COLUMN IF NOT EXISTS requester text,
    ADD COLUMN IF NOT EXISTS assignee text,
    ADD COLUMN IF NOT EXISTS tags text[], -- in lower case, sorted, unique; never empty
    ADD COLUMN IF NOT EXISTS metadata jsonb, -- an object of strings; never empty
    ADD COLUMN IF NOT EXISTS first_response_at timestamptz,
    -- True: only a bulk update makes the label look judged, so it is no training example.
    ADD COLUMN IF NOT EXISTS category_unjudged boolean,
    ADD COLUMN IF NOT EXISTS priority_unjudged boolean,
    DROP CONSTRAINT IF EXISTS tickets_title_not_empty,
    DROP CONSTRAINT IF EXISTS tickets_title_at_most_200,
    DROP CONSTRAINT IF EXISTS tickets_description_not_empty,
    DROP CONSTRAINT IF EXISTS tickets_version_positive,
    DROP CONSTRAINT IF EXISTS tickets_created_at_in_range,
    DROP CONSTRAINT IF EXISTS tickets_updated_after_created,
    DROP CONSTRAINT IF EXISTS tickets_resolved_after_created,
    DROP CONSTRAINT IF EXISTS tickets_suggestion_whole,
    DROP CONSTRAINT IF EXISTS tickets_confidence_in_range;

-- A row for each attribute of a ticket (ticket_attributes_of() makes them), with the columns by which lists filter and
-- sort: what the indexes of tickets by facets are for all tickets, these are for the tickets with one attribute.
CREATE TABLE IF NOT EXISTS ticket_attributes (
    attribute text COLLATE "C" NOT NULL,
    category ticket_category NOT NULL,
    priority ticket_priority NOT NULL,
    status ticket_status NOT NULL,
    id uuid NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT ticket_attributes_pkey PRIMARY KEY (attribute, category, priority, status, id)
        INCLUDE (updated_at) -- so that lists with a window of changes need not read the table
);
CREATE INDEX IF NOT EXISTS ticket_attributes_updated
    ON ticket_attributes (attribute, category, priority, status, updated_at, id);

-- Tickets without an assignee have no row in ticket_attributes for that, so that a ticket without attributes needs none.
DROP INDEX CONCURRENTLY IF EXISTS tickets_unassigned_created;
CREATE INDEX CONCURRENTLY tickets_unassigned_created ON tickets (category, priority, status, id)
    INCLUDE (updated_at) -- for the same reason
    WHERE assignee IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS tickets_unassigned_updated;
CREATE INDEX CONCURRENTLY tickets_unassigned_updated
    ON tickets (category, priority, status, updated_at, id) WHERE assignee IS NULL;

-- Roles that may write the search texts may write the attributes: the triggers run with their privileges.
DO $$
DECLARE
    permission text;
BEGIN
    FOR permission IN
        SELECT format(
            'GRANT %s ON ticket_attributes TO %s', acl.privilege_type, coalesce(quote_ident(role.rolname), 'PUBLIC')
        )
        FROM pg_class
        CROSS JOIN LATERAL aclexplode(pg_class.relacl) AS acl
        LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'ticket_texts'::regclass
    LOOP
        EXECUTE permission;
    END LOOP;
END $$;
