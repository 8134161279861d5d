-- The faults of the staged lines, in the order of the file; with each, how many faults and faulty lines there are.
-- The rules are those of the table (migrations/0001_tickets.sql) and of creating a ticket.
-- $1 limit: how many faults are told
WITH judged AS (
    SELECT
        s.line,
        s.unreadable,
        coalesce(s.faults ->> 'title', CASE
            WHEN s.title = '' THEN 'empty'
            WHEN char_length(s.title) > 200 THEN 'too_long'
        END) AS title,
        coalesce(s.faults ->> 'description', CASE WHEN s.description = '' THEN 'empty' END) AS description,
        coalesce(s.faults ->> 'category', CASE
            WHEN s.category <> ALL ((SELECT enum_range(NULL::ticket_category)::text[])::text[]) THEN 'not_allowed'
        END) AS category,
        coalesce(s.faults ->> 'priority', CASE
            WHEN s.priority <> ALL ((SELECT enum_range(NULL::ticket_priority)::text[])::text[]) THEN 'not_allowed'
        END) AS priority,
        coalesce(s.faults ->> 'status', CASE
            WHEN s.status <> ALL ((SELECT enum_range(NULL::ticket_status)::text[])::text[]) THEN 'not_allowed'
        END) AS status,
        coalesce(s.faults ->> 'created_at', CASE
            WHEN s.created_at < '1970-01-01T00:00:00Z' THEN 'out_of_range'
        END) AS created_at,
        coalesce(s.faults ->> 'updated_at', CASE
            WHEN s.updated_at < coalesce(s.created_at, statement_timestamp()) THEN 'out_of_range'
        END) AS updated_at
    FROM staged_tickets AS s
),
fault AS (
    SELECT j.line, found.place, found.field, found.code, j.unreadable
    FROM judged AS j
    CROSS JOIN LATERAL (
        VALUES
            (0, '', CASE WHEN j.unreadable IS NOT NULL THEN 'unreadable' END),
            (1, 'title', j.title),
            (2, 'description', j.description),
            (3, 'category', j.category),
            (4, 'priority', j.priority),
            (5, 'status', j.status),
            (6, 'created_at', j.created_at),
            (7, 'updated_at', j.updated_at)
    ) AS found (place, field, code)
    WHERE found.code IS NOT NULL
        -- so that the list above is made for faulty lines only
        AND num_nonnulls(
            j.unreadable, j.title, j.description, j.category, j.priority, j.status, j.created_at, j.updated_at
        ) > 0
)
SELECT f.line, f.field, f.code, f.unreadable,
    (SELECT count(*) FROM fault), (SELECT count(DISTINCT fault.line) FROM fault)
FROM fault AS f
ORDER BY f.line, f.place
LIMIT $1::integer
