-- Webhooks: the receivers of events, and a delivery for each event that one of them gets.
-- depends: 0013_events

CREATE TYPE delivery_state AS ENUM ('pending', 'sending', 'delivered', 'failed', 'skipped');

CREATE TABLE webhooks (
    id uuid DEFAULT gen_random_uuid() CONSTRAINT webhooks_pkey PRIMARY KEY,
    url text NOT NULL,
    types text[], -- of events; NULL means all
    filters text DEFAULT '' NOT NULL, -- of tickets, as the query string of a list
    public_only boolean NOT NULL, -- internal comments are hidden, as from a key that is limited to public ones
    secret bytea NOT NULL,
    previous_secret bytea,
    previous_secret_until timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL,
    created_by text,
    disabled_at timestamptz,
    disabled_reason text,
    seq bigint NOT NULL, -- of the last event for which there is a delivery if it is wanted
    failures integer DEFAULT 0 NOT NULL, -- attempts that have failed since the last one that succeeded
    failing_since timestamptz,
    next_attempt_at timestamptz DEFAULT now() NOT NULL, -- no delivery is attempted before
    delivered_total bigint DEFAULT 0 NOT NULL,
    failed_total bigint DEFAULT 0 NOT NULL -- attempts
);

-- The text of the event is not in it, but is read from the history at each attempt: what is deleted is not sent any more.
CREATE TABLE webhook_deliveries (
    number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT webhook_deliveries_pkey PRIMARY KEY,
    id text DEFAULT 'msg_' || replace(gen_random_uuid()::text, '-', '') NOT NULL
        CONSTRAINT webhook_deliveries_id_unique UNIQUE, -- the webhook-id of all attempts
    webhook_id uuid NOT NULL CONSTRAINT webhook_deliveries_webhook REFERENCES webhooks ON DELETE CASCADE,
    event_id text NOT NULL,
    type text NOT NULL,
    ticket_id uuid NOT NULL,
    entry bigint NOT NULL, -- of ticket_history; 0 is the creation
    created_at timestamptz DEFAULT now() NOT NULL,
    state delivery_state DEFAULT 'pending' NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    started_at timestamptz, -- of the first attempt
    next_attempt_at timestamptz DEFAULT now(), -- while one is being made, when it counts as lost; NULL means never
    last_attempt_at timestamptz,
    last_status integer,
    last_error text,
    last_duration_ms integer
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_of_webhook ON webhook_deliveries (webhook_id, number);
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (created_at) WHERE next_attempt_at IS NULL;

-- A role that may change tickets may register webhooks and deliver.
DO $$
DECLARE
    permission text;
BEGIN
    FOR permission IN
        SELECT format(
            'GRANT %s ON webhooks, webhook_deliveries TO %s',
            acl.privilege_type, coalesce(quote_ident(role.rolname), 'PUBLIC')
        )
        FROM pg_class
        CROSS JOIN LATERAL aclexplode(pg_class.relacl) AS acl
        LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'tickets'::regclass
    LOOP
        EXECUTE permission;
    END LOOP;
END $$;
