-- Writes the rows of the attributes of a ticket that is stored, changed or deleted. Rows of attributes that it keeps are
-- updated.
CREATE OR REPLACE FUNCTION ticket_attributes_write() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text[] := '{}';
    after text[] := '{}';
BEGIN
    IF TG_OP <> 'INSERT' THEN
        before := coalesce(ticket_attributes_of(OLD.requester, OLD.assignee, OLD.tags, OLD.metadata), '{}')
            || array_remove(ARRAY['duplicate_of ' || OLD.duplicate_of], NULL);
    END IF;
    IF TG_OP = 'UPDATE'
        AND (OLD.requester, OLD.assignee, OLD.tags, OLD.metadata, OLD.duplicate_of)
            IS NOT DISTINCT FROM (NEW.requester, NEW.assignee, NEW.tags, NEW.metadata, NEW.duplicate_of)
    THEN
        after := before;
    ELSIF TG_OP <> 'DELETE' THEN
        after := coalesce(ticket_attributes_of(NEW.requester, NEW.assignee, NEW.tags, NEW.metadata), '{}')
            || array_remove(ARRAY['duplicate_of ' || NEW.duplicate_of], NULL);
    END IF;
    IF NOT before <@ after THEN
        DELETE FROM ticket_attributes AS a
        WHERE a.attribute = ANY (before)
            AND (a.category, a.priority, a.status, a.id) = (OLD.category, OLD.priority, OLD.status, OLD.id)
            AND a.attribute <> ALL (after);
    END IF;
    IF before && after THEN
        UPDATE ticket_attributes AS a
        SET category = NEW.category, priority = NEW.priority, status = NEW.status, id = NEW.id, updated_at = NEW.updated_at
        WHERE a.attribute = ANY (before)
            AND (a.category, a.priority, a.status, a.id) = (OLD.category, OLD.priority, OLD.status, OLD.id);
    END IF;
    IF NOT after <@ before THEN
        INSERT INTO ticket_attributes (attribute, category, priority, status, id, updated_at)
        SELECT attribute, NEW.category, NEW.priority, NEW.status, NEW.id, NEW.updated_at
        FROM unnest(after) AS attribute
        WHERE attribute <> ALL (before);
    END IF;
    RETURN NULL;
END $$;
