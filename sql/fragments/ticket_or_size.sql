-- Value: the ticket `t` as JSON; if it is larger than its share of a page, only the size of its description, in bytes of
-- JSON. An escaped character takes up to six bytes; the size of a text is known without reading it.
-- $1 row_bytes: the share of each ticket
CASE
    WHEN octet_length(t.description) <= $1::integer / 6
        OR (octet_length(t.description) <= $1::integer AND octet_length(to_json(t.description)::text) <= $1::integer)
        THEN ticket_json(t)
    ELSE octet_length(to_json(t.description)::text)::text
END
