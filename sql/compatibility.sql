-- All names of the schema that only the previous release uses (tests/faults/previous_release). At the next release this
-- file is emptied, and a migration runs:
--     DROP FUNCTION category_lesson, priority_lesson, quarter_hour, quarters_of;
--     DROP FUNCTION tickets_with_text, triage_rebuild, triage_words;
--     DROP VIEW idempotency_keys, ticket_changes, ticket_quarters, triage_memory, triage_texts, triage_token_counts;
--     ALTER TABLE triage_weights RENAME TO triage_token_counts;
--     ALTER TABLE triage_token_counts RENAME COLUMN weights TO label_counts;

-- ctid, because the previous release deletes old keys by it.
CREATE OR REPLACE VIEW idempotency_keys AS
    SELECT key_hash AS key, body_hash AS fingerprint, ticket_id, response AS answer, created_at, ctid
    FROM idempotency_records;

CREATE OR REPLACE VIEW ticket_changes AS
    SELECT created, resolved, category, priority, status, tickets
    FROM ticket_count_deltas;

CREATE OR REPLACE VIEW ticket_quarters AS
    SELECT interval_start AS quarter,
        created_low, created_medium, created_high, created_critical,
        created_billing, created_technical, created_account, created_general,
        resolved_low, resolved_medium, resolved_high, resolved_critical,
        resolved_billing, resolved_technical, resolved_account, resolved_general
    FROM ticket_counts_15min;

CREATE OR REPLACE VIEW triage_memory AS
    SELECT cutoff AS since
    FROM triage_training;

-- Their sizes on disk are no longer part of what `flask triage size` of the previous release shows.
CREATE OR REPLACE VIEW triage_texts AS
    SELECT text_hash AS fingerprint, label_counts AS votes
    FROM triage_text_counts;

-- The other way round: the previous release groups by the primary key of triage_weights, which a view does not have. So
-- the table keeps its name for one more release, also in functions that write it, and the view has the new one.
CREATE OR REPLACE VIEW triage_token_counts AS
    SELECT bucket, weights AS label_counts, has_minor_keys
    FROM triage_weights;

CREATE OR REPLACE FUNCTION category_lesson(t tickets) RETURNS ticket_category
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN category_label(t);

CREATE OR REPLACE FUNCTION priority_lesson(t tickets) RETURNS ticket_priority
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN priority_label(t);

CREATE OR REPLACE FUNCTION quarter_hour(at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN floor_15min(at);

CREATE OR REPLACE FUNCTION quarters_of(
    created timestamptz, resolved timestamptz, category ticket_category, priority ticket_priority, tickets integer
) RETURNS SETOF ticket_quarters
    LANGUAGE sql IMMUTABLE ROWS 2
BEGIN ATOMIC
    SELECT c.* FROM delta_counts_15min(created, resolved, category, priority, tickets) AS c;
END;

CREATE OR REPLACE FUNCTION triage_words(body text) RETURNS TABLE (bucket integer, word text)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 30
BEGIN ATOMIC
    SELECT t.bucket, t.token FROM triage_tokens(body) AS t;
END;

CREATE OR REPLACE FUNCTION triage_rebuild(since timestamptz) RETURNS bigint
    LANGUAGE sql
    RETURN triage_retrain(since);

-- The previous release's regular expressions for one or two letters beyond ASCII match nothing in the texts of today.
CREATE OR REPLACE FUNCTION tickets_with_text(
    patterns text[], excluded text[], index_patterns text[], index_regex text
) RETURNS SETOF uuid
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT m.id
    FROM search_matches(
        patterns, excluded, index_patterns,
        CASE WHEN octet_length(index_regex) = char_length(index_regex) THEN lower(index_regex) ELSE '' END, '{}'
    ) AS m (id);
END;

-- Roles that may use a table may use its view.
DO $$
DECLARE
    permission text;
BEGIN
    FOR permission IN
        SELECT format(
            'GRANT %s ON %I TO %s', acl.privilege_type, renamed.view, coalesce(quote_ident(role.rolname), 'PUBLIC')
        )
        FROM (
            VALUES ('idempotency_keys', 'idempotency_records'), ('ticket_changes', 'ticket_count_deltas'),
                ('ticket_quarters', 'ticket_counts_15min'), ('triage_memory', 'triage_training'),
                ('triage_texts', 'triage_text_counts'), ('triage_token_counts', 'triage_weights')
        ) AS renamed (view, relation)
        JOIN pg_class ON pg_class.oid = renamed.relation::regclass
        CROSS JOIN LATERAL aclexplode(pg_class.relacl) AS acl
        LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
    LOOP
        EXECUTE permission;
    END LOOP;
END $$;
