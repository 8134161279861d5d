-- The attributes by which lists find tickets follow the tickets. The conditions keep them from costing a ticket without
-- attributes anything.
CREATE OR REPLACE TRIGGER ticket_attributes_add AFTER INSERT ON tickets
    FOR EACH ROW WHEN (
        NEW.requester IS NOT NULL OR NEW.assignee IS NOT NULL OR NEW.tags IS NOT NULL OR NEW.metadata IS NOT NULL
        OR NEW.duplicate_of IS NOT NULL
    )
    EXECUTE FUNCTION ticket_attributes_write();

CREATE OR REPLACE TRIGGER ticket_attributes_change AFTER UPDATE ON tickets
    FOR EACH ROW WHEN (
        OLD.requester IS NOT NULL OR OLD.assignee IS NOT NULL OR OLD.tags IS NOT NULL OR OLD.metadata IS NOT NULL
        OR OLD.duplicate_of IS NOT NULL
        OR NEW.requester IS NOT NULL OR NEW.assignee IS NOT NULL OR NEW.tags IS NOT NULL OR NEW.metadata IS NOT NULL
        OR NEW.duplicate_of IS NOT NULL
    )
    EXECUTE FUNCTION ticket_attributes_write();

CREATE OR REPLACE TRIGGER ticket_attributes_remove AFTER DELETE ON tickets
    FOR EACH ROW WHEN (
        OLD.requester IS NOT NULL OR OLD.assignee IS NOT NULL OR OLD.tags IS NOT NULL OR OLD.metadata IS NOT NULL
        OR OLD.duplicate_of IS NOT NULL
    )
    EXECUTE FUNCTION ticket_attributes_write();

CREATE OR REPLACE TRIGGER ticket_attributes_remove_all AFTER TRUNCATE ON tickets
    FOR EACH STATEMENT EXECUTE FUNCTION ticket_attributes_remove_all();
