-- The feed of events: a reference to each entry of the history, in the order in which clients read them.
-- depends: 0012_pending_training

-- What has not been published: a row for each event, written in the transaction of its change. No reader waits for a
-- transaction that is open, and none misses one that commits late, because publish_events() gives the numbers only afterwards.
CREATE TABLE event_outbox (
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY, -- drawn while the ticket's row is locked: its order is that of the versions
    ticket_id uuid NOT NULL,
    entry bigint NOT NULL, -- of ticket_history; 0 is the creation
    at timestamptz DEFAULT now() NOT NULL
)
WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX event_outbox_xid ON event_outbox (xid);

CREATE TABLE events (
    seq bigint CONSTRAINT events_pkey PRIMARY KEY, -- without gaps
    ticket_id uuid NOT NULL,
    entry bigint NOT NULL,
    at timestamptz NOT NULL, -- when the transaction of the change began
    horizon xid8 NOT NULL -- the outbox had nothing more of the transactions before this one
);

-- Numbers are unique only within a generation: a database that is restored, or a standby that is promoted, may give numbers
-- again that the lost part of its predecessor gave to other events.
CREATE TABLE event_generations (
    ordinal integer GENERATED ALWAYS AS IDENTITY CONSTRAINT event_generations_pkey PRIMARY KEY,
    generation text NOT NULL, -- random: two copies of one database open different ones
    source text NOT NULL, -- where its numbers are given: event_source()
    after_seq bigint NOT NULL -- the last number of the generation before
);

-- A role that may write the history may write these: the triggers run with its privileges.
DO $$
DECLARE
    permission text;
BEGIN
    FOR permission IN
        SELECT format(
            'GRANT SELECT, INSERT, DELETE ON event_outbox, events, event_generations TO %s',
            coalesce(quote_ident(role.rolname), 'PUBLIC')
        )
        FROM pg_class
        CROSS JOIN LATERAL aclexplode(pg_class.relacl) AS acl
        LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'ticket_history'::regclass AND acl.privilege_type = 'INSERT'
    LOOP
        EXECUTE permission;
    END LOOP;
END $$;

-- The first event opens the next one: a migration does not know where it runs.
INSERT INTO event_generations (generation, source, after_seq)
VALUES (left(md5(gen_random_uuid()::text), 8), '', 0);
