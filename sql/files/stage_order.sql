-- Creates the table of the staged tickets in the order in which they are stored.
CREATE TEMPORARY TABLE staged_order (
    number bigint NOT NULL,
    ticket tid NOT NULL
) ON COMMIT DROP
