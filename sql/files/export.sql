-- Returns all tickets that match the filters, oldest first, each as a line of a file: JSON, or CSV (RFC 4180). Every line
-- of JSON has all members, because programs infer the columns of a table from the first lines.
-- $1 csv: whether to write CSV; its columns are those of CSV_HEADER in ticketsvc/store/exports.py
SELECT CASE
    WHEN $1::boolean THEN
        t.id
        || ',"' || replace(t.title, '"', '""')
        || '","' || replace(t.description, '"', '""')
        || '",' || t.category
        || ',' || t.priority
        || ',' || t.status
        || ',' || rfc3339(t.created_at)
        || ',' || rfc3339(t.updated_at)
        || ',' || t.version
        || ',' || coalesce(rfc3339(t.resolved_at), '')
        || ',' || coalesce('"' || replace(t.requester, '"', '""') || '"', '')
        || ',' || coalesce('"' || replace(t.assignee, '"', '""') || '"', '')
        || ',' || coalesce('"' || replace(tags_cell(t.tags), '"', '""') || '"', '')
        || ',' || coalesce('"' || replace(metadata_json(t.metadata), '"', '""') || '"', '')
        || ',' || coalesce(rfc3339(t.first_response_at), '')
        || ',' || coalesce(t.duplicate_of::text, '')
        || E'\r\n'
    ELSE ticket_fields_json(t)
        || ',"triage":{"category":'
        || complete_decision_json(t.category::text, t.suggested_category::text, t.category_confidence, t.suggested_by)
        || ',"priority":'
        || complete_decision_json(t.priority::text, t.suggested_priority::text, t.priority_confidence, t.suggested_by)
        || '}'
        || ticket_people_json(t)
        || E'}\n'
END
FROM tickets AS t
WHERE /* include: filters */ true
    AND /* include: text_if_any */ true
ORDER BY t.id
