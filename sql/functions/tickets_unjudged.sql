-- Keeps category_unjudged and priority_unjudged, which are true for a label that seems judged and is not, otherwise NULL.
-- A bulk update writes false to both, and tickets_duplicate() to those that stay: nobody has looked at the labels, so one that
-- is not the training example that it was before becomes none. By any other change a label counts as judged if it is changed,
-- and both if the ticket is resolved.
CREATE OR REPLACE FUNCTION tickets_unjudged() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_resolved boolean := NEW.status IN ('resolved', 'closed') AND NEW.status <> OLD.status;
BEGIN
    IF NEW.category_unjudged IS FALSE THEN
        NEW.category_unjudged := nullif(
            category_label(NEW) IS NOT NULL AND category_label(NEW) IS DISTINCT FROM category_label(OLD), false
        );
    ELSIF is_resolved OR NEW.category <> OLD.category THEN
        NEW.category_unjudged := NULL;
    END IF;
    IF NEW.priority_unjudged IS FALSE THEN
        NEW.priority_unjudged := nullif(
            priority_label(NEW) IS NOT NULL AND priority_label(NEW) IS DISTINCT FROM priority_label(OLD), false
        );
    ELSIF is_resolved OR NEW.priority <> OLD.priority THEN
        NEW.priority_unjudged := NULL;
    END IF;
    RETURN NEW;
END $$;
