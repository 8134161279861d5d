-- A ticket whose labels people kept or corrected is a training example. The conditions call no functions:
-- PostgreSQL plans the condition of a trigger for every statement, and expanding functions there takes a tenth
-- of a create. triage_learn() checks the rest; its plans are cached. The labels of a ticket are never NULL, a
-- suggested label may be: then <> is not true, as it should be.
CREATE OR REPLACE TRIGGER triage_learn_new AFTER INSERT ON tickets
    FOR EACH ROW WHEN (
        NEW.category <> NEW.suggested_category
        OR NEW.priority <> NEW.suggested_priority
        OR (NEW.suggested_by <> 'default' AND NEW.status IN ('resolved', 'closed'))
    )
    EXECUTE FUNCTION triage_learn();

CREATE OR REPLACE TRIGGER triage_learn_changed AFTER UPDATE ON tickets
    FOR EACH ROW WHEN (OLD.suggested_by IS NOT NULL OR NEW.suggested_by IS NOT NULL)
    EXECUTE FUNCTION triage_learn();

CREATE OR REPLACE TRIGGER triage_learn_deleted AFTER DELETE ON tickets
    FOR EACH ROW WHEN (
        OLD.category <> OLD.suggested_category
        OR OLD.priority <> OLD.suggested_priority
        OR (OLD.suggested_by <> 'default' AND OLD.status IN ('resolved', 'closed'))
    )
    EXECUTE FUNCTION triage_learn();

-- At the end of a statement that has set it: no row is known here, and the condition costs other statements next to nothing.
CREATE OR REPLACE TRIGGER triage_learn_deferred AFTER UPDATE OR DELETE ON tickets
    FOR EACH STATEMENT WHEN (current_setting('ticketsvc.learning', true) = 'deferred')
    EXECUTE FUNCTION triage_learn_deferred();

CREATE OR REPLACE TRIGGER triage_reset AFTER TRUNCATE ON tickets
    FOR EACH STATEMENT EXECUTE FUNCTION triage_reset();
