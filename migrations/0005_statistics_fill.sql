-- What 0005_statistics began, for the tickets that were there before: when they were resolved, and their counts. It
-- works beside the release that is running: no lock is held for longer than a batch takes. It may be run again.
-- depends: 0005_statistics
-- transactional: false

-- The last change of a resolved ticket is the best that is known of its resolution.
DO $$
DECLARE
    reached uuid := '00000000-0000-0000-0000-000000000000';
    batch uuid[];
BEGIN
    LOOP
        batch := ARRAY(SELECT id FROM tickets WHERE id > reached ORDER BY id LIMIT 2000);
        EXIT WHEN batch = '{}';
        UPDATE tickets SET resolved_at = updated_at
        WHERE id = ANY (batch) AND resolved_at IS NULL AND status IN ('resolved', 'closed');
        COMMIT;
        reached := batch[cardinality(batch)];
    END LOOP;
END $$;

ALTER TABLE tickets VALIDATE CONSTRAINT tickets_resolved_after_created;

-- Times from creation to resolution are read from this index alone.
DROP INDEX CONCURRENTLY IF EXISTS tickets_resolved;

CREATE INDEX CONCURRENTLY tickets_resolved ON tickets (id)
    INCLUDE (category, priority, status, created_at, resolved_at)
    WHERE resolved_at IS NOT NULL;

-- From here on every change is counted. What was there before is counted last.
CREATE OR REPLACE TRIGGER count_created AFTER INSERT ON tickets
    REFERENCING NEW TABLE AS created FOR EACH STATEMENT EXECUTE FUNCTION count_created();
CREATE OR REPLACE TRIGGER count_changed AFTER UPDATE ON tickets
    FOR EACH ROW WHEN (
        (OLD.category, OLD.priority, OLD.status, OLD.created_at, OLD.resolved_at)
        IS DISTINCT FROM (NEW.category, NEW.priority, NEW.status, NEW.created_at, NEW.resolved_at)
    )
    EXECUTE FUNCTION count_changed();
CREATE OR REPLACE TRIGGER count_deleted AFTER DELETE ON tickets
    REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION count_deleted();
CREATE OR REPLACE TRIGGER count_none AFTER TRUNCATE ON tickets
    FOR EACH STATEMENT EXECUTE FUNCTION count_none();

DO $$ BEGIN PERFORM recount_tickets(); END $$;
