CREATE OR REPLACE FUNCTION ticket_json(t tickets) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '{"id":"' || t.id
        || '","title":' || to_json(t.title)
        || ',"description":' || to_json(t.description)
        || ',"category":"' || t.category
        || '","priority":"' || t.priority
        || '","status":"' || t.status
        || '","created_at":"' || rfc3339(t.created_at)
        || '","updated_at":"' || rfc3339(t.updated_at)
        || '","version":' || t.version
        || '}';

DROP FUNCTION decision_json;
DROP TRIGGER triage_forget ON tickets;
DROP TRIGGER triage_learn_deleted ON tickets;
DROP TRIGGER triage_learn_changed ON tickets;
DROP TRIGGER triage_learn_new ON tickets;
DROP FUNCTION triage_forget, triage_rebuild, triage_learn, triage_shares, triage_lesson;
DROP AGGREGATE triage_sum(bigint[], bigint);
DROP FUNCTION triage_add, triage_ballot, priority_lesson, category_lesson, triage_words;
DROP TABLE triage_weights, triage_texts, triage_memory;
DROP TYPE triage_label;
ALTER TABLE tickets
    DROP COLUMN suggested_by,
    DROP COLUMN priority_confidence,
    DROP COLUMN category_confidence,
    DROP COLUMN suggested_priority,
    DROP COLUMN suggested_category;
