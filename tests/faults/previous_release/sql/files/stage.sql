-- Makes the table that takes the lines of a file until all of them were looked at. It ends with the transaction.
-- faults has a code for each field that cannot be stored at all, unreadable what is wrong with a whole line.
CREATE TEMPORARY TABLE staged_tickets (
    line bigint NOT NULL,
    title text,
    description text,
    category text,
    priority text,
    status text,
    created_at timestamptz,
    updated_at timestamptz,
    faults json,
    unreadable text
) ON COMMIT DROP
