-- The changes of training examples that a statement collects, to count them all at once when it ends.
-- depends: 0011_comments

-- Empty whenever a transaction ends, so a crash can lose nothing: unlogged.
CREATE UNLOGGED TABLE triage_pending_changes (
    author text NOT NULL,
    text_hash uuid NOT NULL,
    buckets integer[] NOT NULL,
    label_counts bigint[] NOT NULL,
    sign integer NOT NULL -- 1: learned, -1: taken away
);

-- A role that may write the counts may write these: the triggers run with its privileges.
DO $$
DECLARE
    permission text;
BEGIN
    FOR permission IN
        SELECT format(
            'GRANT %s ON triage_pending_changes TO %s', acl.privilege_type, coalesce(quote_ident(role.rolname), 'PUBLIC')
        )
        FROM pg_class
        CROSS JOIN LATERAL aclexplode(pg_class.relacl) AS acl
        LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'triage_text_counts'::regclass
    LOOP
        EXECUTE permission;
    END LOOP;
END $$;
