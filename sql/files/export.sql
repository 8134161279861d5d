-- Returns all tickets that match the filters, oldest first, each as a line of a file: JSON, or CSV (RFC 4180).
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
        || E'\r\n'
    ELSE ticket_json(t) || E'\n'
END
FROM tickets AS t
WHERE /* include: filters */ true
    AND /* include: text_if_any */ true
ORDER BY t.id
