-- Value: the statistics of times as JSON, from the table `measured`: for all tickets (priority and category are NULL), and for
-- each label that occurs, the number of tickets, and the median and the 90th percentile as an array.
(
    SELECT '{' || times_json(total.tickets, total.seconds)
        || ',"priority_breakdown":{' || (
            SELECT string_agg('"' || label || '":{' || times_json(m.tickets, m.seconds) || '}', ',' ORDER BY label)
            FROM unnest(enum_range(NULL::ticket_priority)) AS label
            LEFT JOIN measured AS m ON m.priority = label
        )
        || '},"category_breakdown":{' || (
            SELECT string_agg('"' || label || '":{' || times_json(m.tickets, m.seconds) || '}', ',' ORDER BY label)
            FROM unnest(enum_range(NULL::ticket_category)) AS label
            LEFT JOIN measured AS m ON m.category = label
        )
        || '}}'
    FROM (SELECT) AS one
    LEFT JOIN measured AS total ON total.priority IS NULL AND total.category IS NULL
)
