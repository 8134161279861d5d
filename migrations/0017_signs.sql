-- Similar tickets: the signs of an encoder's numbers for the newest tickets. Empty unless TRIAGE_ENCODER is on.
-- Every statement may run again.
-- depends: 0016_similar
-- transactional: false

CREATE TABLE IF NOT EXISTS ticket_signs (
    id uuid CONSTRAINT ticket_signs_pkey PRIMARY KEY,
    signs bit(512) -- NULL: the text is to be encoded
);

-- Every query reads all rows: as they are stored, without copying each for a longer header.
ALTER TABLE ticket_signs ALTER COLUMN signs SET STORAGE PLAIN;

ALTER TABLE ticket_signs SET (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX IF NOT EXISTS ticket_signs_pending ON ticket_signs (id) WHERE signs IS NULL;

-- Roles that may write the search texts may write this.
DO $$
DECLARE
    permission text;
BEGIN
    FOR permission IN
        SELECT format('GRANT %s ON ticket_signs TO %s', acl.privilege_type, coalesce(quote_ident(role.rolname), 'PUBLIC'))
        FROM pg_class
        CROSS JOIN LATERAL aclexplode(pg_class.relacl) AS acl
        LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'ticket_texts'::regclass
    LOOP
        EXECUTE permission;
    END LOOP;
END $$;
