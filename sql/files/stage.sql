-- Creates the staging table for the lines of a file. It is dropped at the end of the transaction. errors has a code for
-- each field that cannot be staged, unreadable says what is wrong with a whole line.
CREATE TEMPORARY TABLE staged_tickets (
    line bigint NOT NULL,
    title text,
    description text,
    category text,
    priority text,
    status text,
    created_at timestamptz,
    updated_at timestamptz,
    errors json,
    unreadable text
) ON COMMIT DROP
