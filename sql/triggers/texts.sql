-- The texts that searches read follow the tickets. There is no foreign key, and the week is no generated column: the
-- triggers see to both, at less cost.
CREATE OR REPLACE TRIGGER ticket_texts_add AFTER INSERT ON tickets
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ticket_texts_add();

CREATE OR REPLACE TRIGGER ticket_texts_change AFTER UPDATE OF title, description ON tickets
    FOR EACH ROW WHEN (OLD.title IS DISTINCT FROM NEW.title OR OLD.description IS DISTINCT FROM NEW.description)
    EXECUTE FUNCTION ticket_texts_change();

CREATE OR REPLACE TRIGGER ticket_texts_remove AFTER DELETE ON tickets
    FOR EACH ROW EXECUTE FUNCTION ticket_texts_remove();

CREATE OR REPLACE TRIGGER ticket_texts_remove_all AFTER TRUNCATE ON tickets
    FOR EACH STATEMENT EXECUTE FUNCTION ticket_texts_remove_all();
