-- Returns the errors of the staged lines in the order of the file, each with the total of errors and of lines with
-- errors. The rules are those of the table (migrations/0001_tickets.sql) and of creating a ticket.
-- $1 limit: how many errors are returned
WITH checked AS (
    SELECT
        s.line,
        s.unreadable,
        coalesce(s.errors ->> 'title', CASE
            WHEN s.title = '' THEN 'empty'
            WHEN char_length(s.title) > 200 THEN 'too_long'
        END) AS title,
        coalesce(s.errors ->> 'description', CASE WHEN s.description = '' THEN 'empty' END) AS description,
        coalesce(s.errors ->> 'category', CASE
            WHEN s.category <> ALL ((SELECT enum_range(NULL::ticket_category)::text[])::text[]) THEN 'not_allowed'
        END) AS category,
        coalesce(s.errors ->> 'priority', CASE
            WHEN s.priority <> ALL ((SELECT enum_range(NULL::ticket_priority)::text[])::text[]) THEN 'not_allowed'
        END) AS priority,
        coalesce(s.errors ->> 'status', CASE
            WHEN s.status <> ALL ((SELECT enum_range(NULL::ticket_status)::text[])::text[]) THEN 'not_allowed'
        END) AS status,
        coalesce(s.errors ->> 'created_at', CASE
            WHEN s.created_at < '1970-01-01T00:00:00Z' THEN 'out_of_range'
        END) AS created_at,
        coalesce(s.errors ->> 'updated_at', CASE
            WHEN s.updated_at < coalesce(s.created_at, statement_timestamp()) THEN 'out_of_range'
        END) AS updated_at
    FROM staged_tickets AS s
),
error AS (
    SELECT c.line, found.place, found.field, found.code, c.unreadable
    FROM checked AS c
    CROSS JOIN LATERAL (
        VALUES
            (0, '', CASE WHEN c.unreadable IS NOT NULL THEN 'unreadable' END),
            (1, 'title', c.title),
            (2, 'description', c.description),
            (3, 'category', c.category),
            (4, 'priority', c.priority),
            (5, 'status', c.status),
            (6, 'created_at', c.created_at),
            (7, 'updated_at', c.updated_at)
    ) AS found (place, field, code)
    WHERE found.code IS NOT NULL
        -- expands the list above only for lines with errors
        AND num_nonnulls(
            c.unreadable, c.title, c.description, c.category, c.priority, c.status, c.created_at, c.updated_at
        ) > 0
)
SELECT e.line, e.field, e.code, e.unreadable,
    (SELECT count(*) FROM error), (SELECT count(DISTINCT error.line) FROM error)
FROM error AS e
ORDER BY e.line, e.place
LIMIT $1::integer
