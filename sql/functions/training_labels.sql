-- Return the label of a ticket that training may use: one that a person put in place of the suggested one, or kept
-- when the ticket was resolved. NULL when nobody has judged the label (nobody has after a bulk update), when none was
-- suggested, and when a default was kept, which is no judgement.
CREATE OR REPLACE FUNCTION category_label(t tickets) RETURNS ticket_category
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN t.suggested_category IS NULL OR t.category_unjudged THEN NULL
        WHEN t.category <> t.suggested_category THEN t.category
        WHEN t.status IN ('resolved', 'closed') AND t.suggested_by <> 'default' THEN t.category
    END;

CREATE OR REPLACE FUNCTION priority_label(t tickets) RETURNS ticket_priority
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN t.suggested_priority IS NULL OR t.priority_unjudged THEN NULL
        WHEN t.priority <> t.suggested_priority THEN t.priority
        WHEN t.status IN ('resolved', 'closed') AND t.suggested_by <> 'default' THEN t.priority
    END;
