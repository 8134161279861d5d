-- Functions of rows take a row of any type that has the columns: in a distributed database (docs/tenants.md) a table consists of
-- shards, each with a type of its own, and must not depend on a function that depends on its type. The files of sql/functions
-- create them again, in the transaction of this migration.
-- depends: 0015_durations

CREATE OR REPLACE TRIGGER triage_learn_deleted AFTER DELETE ON tickets
    FOR EACH ROW WHEN (
        OLD.category <> OLD.suggested_category
        OR OLD.priority <> OLD.suggested_priority
        OR (OLD.suggested_by <> 'default' AND OLD.status IN ('resolved', 'closed'))
    )
    EXECUTE FUNCTION triage_learn();

DROP FUNCTION IF EXISTS category_label(tickets), priority_label(tickets), category_lesson(tickets), priority_lesson(tickets),
    training_example(tickets), triage_record_authors();
DROP FUNCTION IF EXISTS ticket_json(tickets), ticket_fields_json(tickets), ticket_people_json(tickets);
DROP FUNCTION IF EXISTS ticket_diff(tickets, tickets), ticket_created(tickets), event_entry(uuid, bigint);
DROP FUNCTION IF EXISTS history_json(ticket_history), visible_entry(ticket_history, boolean),
    event_json(text, ticket_history, text);
DROP FUNCTION IF EXISTS comment_json(comments), webhook_json(webhooks), delivery_json(webhook_deliveries);

-- The triggers write the table itself, not the view that has its next name.
DO $$
DECLARE
    permission text;
BEGIN
    FOR permission IN
        SELECT format(
            'GRANT %s ON triage_weights TO %s', acl.privilege_type, coalesce(quote_ident(role.rolname), 'PUBLIC')
        )
        FROM pg_class
        CROSS JOIN LATERAL aclexplode(pg_class.relacl) AS acl
        LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'triage_author_counts'::regclass
    LOOP
        EXECUTE permission;
    END LOOP;
END $$;
