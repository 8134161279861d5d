-- Numbers the staged tickets in the order of creation, whatever the file's: a search by week finds a week in one place. Those
-- without a time are created last. Returns how many there are.
WITH numbered AS (
    INSERT INTO staged_order
    SELECT row_number() OVER (ORDER BY s.created_at), s.ctid FROM staged_tickets AS s
    RETURNING number
)
SELECT count(*) FROM numbered
