-- Returns the weight of a stem that this number of `total` tickets have: its inverse document frequency (Spärck Jones 1972, "A
-- statistical interpretation of term specificity"). The two keep it positive while there are few tickets.
CREATE OR REPLACE FUNCTION stem_weight(tickets integer, total bigint) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ln(2 + total::double precision / (coalesce(tickets, 0) + 1));

-- Returns how many tickets may have a stem by which similar tickets are found. Words that more of them have say little, and
-- their entries would be half of the index. As counts never fall, no list of the index gets much longer than 100,000.
CREATE OR REPLACE FUNCTION stem_limit(total bigint) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN greatest(1000, least(total / 20, 100000));
