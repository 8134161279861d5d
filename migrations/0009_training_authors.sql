-- The API key that judged each training example, and the counts of each key: so that one key's share of a suggestion can be
-- limited, and its examples be forgotten. Counts without an author are those of tickets judged without a key.
-- Training examples from before this migration get their author with the next `flask triage rebuild`.
-- depends: 0007_names

-- No row: the author is unknown. A forgotten example is not counted until somebody has judged the ticket again.
CREATE TABLE triage_examples (
    ticket_id uuid CONSTRAINT triage_examples_pkey PRIMARY KEY,
    author text NOT NULL,
    is_forgotten boolean NOT NULL DEFAULT false
);

-- The part of triage_token_counts that each key taught.
CREATE TABLE triage_author_counts (
    bucket integer NOT NULL,
    author text NOT NULL,
    label_counts bigint[] NOT NULL,
    CONSTRAINT triage_author_counts_pkey PRIMARY KEY (bucket, author)
) WITH (fillfactor = 50);

-- In the row of all tokens: whether there are keys that have taught less than all others together.
ALTER TABLE triage_weights ADD COLUMN has_minor_keys boolean NOT NULL DEFAULT false;

-- A role that may write the counts may write these: the triggers run with its privileges.
DO $$
DECLARE
    permission text;
BEGIN
    FOR permission IN
        SELECT format(
            'GRANT %s ON triage_examples, triage_author_counts TO %s',
            acl.privilege_type, coalesce(quote_ident(role.rolname), 'PUBLIC')
        )
        FROM pg_class
        CROSS JOIN LATERAL aclexplode(pg_class.relacl) AS acl
        LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'triage_text_counts'::regclass
    LOOP
        EXECUTE permission;
    END LOOP;
END $$;
