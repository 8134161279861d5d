-- Creates the role of the service, unless it exists, and grants it what serving needs and nothing more:
--
--     psql "$MIGRATE_DATABASE_URL" --set role=ticket_service --file sql/service_role.sql
--
-- Run it as the owner of the tables after each `flask migrate`. SERVICE_PASSWORD in the environment sets the password. If
-- DATABASE_SCHEMA is set, add --set schema=NAME.
\set ON_ERROR_STOP on
SELECT format('CREATE ROLE %I LOGIN', :'role')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role')
\gexec
\getenv password SERVICE_PASSWORD
\if :{?password}
ALTER ROLE :"role" PASSWORD :'password';
\endif

\if :{?schema}
SET search_path TO :"schema";
\else
\set schema public
\endif

BEGIN;
SELECT format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', current_database(), :'role')
\gexec
GRANT USAGE ON SCHEMA :"schema" TO :"role";

GRANT SELECT, INSERT, UPDATE, DELETE ON tickets, ticket_texts, ticket_attributes, comments, idempotency_records, rate_limits TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON ticket_stems, ticket_stem_counts, ticket_stem_totals, ticket_signs TO :"role";
GRANT SELECT, INSERT, UPDATE ON ticket_history TO :"role";
GRANT SELECT, INSERT, UPDATE ON ticket_totals, ticket_days, ticket_counts_15min, ticket_durations TO :"role";
GRANT SELECT, INSERT, DELETE ON ticket_count_deltas TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON triage_text_counts TO :"role";
GRANT SELECT, INSERT, UPDATE ON triage_token_counts, triage_weights, triage_author_counts TO :"role";
GRANT SELECT, INSERT, DELETE ON triage_examples, triage_pending_changes TO :"role";
GRANT SELECT, INSERT, DELETE ON event_outbox, events, event_generations TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks, webhook_deliveries TO :"role";
GRANT SELECT ON triage_training, _yoyo_migration, _migration_content TO :"role";
GRANT SELECT, UPDATE (last_used_at) ON api_keys TO :"role"; -- keys are created and revoked by the owner
COMMIT;
