-- Value: the ticket `t` as JSON; if it is larger than its share of a page, only the size of its description in bytes. The
-- size of a text is known without reading it. As JSON it can be six times as large, and measuring that reads the text.
-- $1 row_bytes: the share of each ticket
-- $2 measured_bytes: up to which size of the text the size of its JSON is measured
CASE
    WHEN octet_length(t.description) <= $1::integer / 6
        OR (octet_length(t.description) <= $1::integer AND octet_length(to_json(t.description)::text) <= $1::integer)
        THEN ticket_json(t)
    WHEN octet_length(t.description) > $2::integer THEN octet_length(t.description)::text
    ELSE octet_length(to_json(t.description)::text)::text
END
