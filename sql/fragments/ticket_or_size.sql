-- Value: the ticket `t` as JSON; if it is larger than its share of a page, only the size of its description and metadata in
-- bytes. The size of a text is known without reading it. As JSON it can be six times as large, and measuring that reads the
-- text. The text form of metadata is as large as its JSON.
-- $1 row_bytes: the share of each ticket
-- $2 measured_bytes: up to which size of the text the size of its JSON is measured
CASE
    WHEN t.metadata IS NULL AND (
            octet_length(t.description) <= $1::integer / 6
            OR (octet_length(t.description) <= $1::integer AND octet_length(to_json(t.description)::text) <= $1::integer)
        )
        THEN ticket_json(ROW(t.*)::tickets)
    WHEN t.metadata IS NOT NULL
        AND octet_length(to_json(t.description)::text) + octet_length(t.metadata::text) <= $1::integer
        THEN ticket_json(ROW(t.*)::tickets)
    WHEN octet_length(t.description) > $2::integer
        THEN (octet_length(t.description) + coalesce(octet_length(t.metadata::text), 0))::text
    ELSE (octet_length(to_json(t.description)::text) + coalesce(octet_length(t.metadata::text), 0))::text
END
