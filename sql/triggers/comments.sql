-- Comments go with their tickets. There is no foreign key, so that tickets can be truncated.
CREATE OR REPLACE TRIGGER comments_remove AFTER DELETE ON tickets
    FOR EACH ROW EXECUTE FUNCTION comments_remove();

CREATE OR REPLACE TRIGGER comments_remove_all AFTER TRUNCATE ON tickets
    FOR EACH STATEMENT EXECUTE FUNCTION comments_remove_all();
