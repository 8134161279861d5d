-- Returns whether an API key has taught something, but less than all others together. Takes its label counts and those of
-- all, of all tokens.
-- depends: triage_total
CREATE OR REPLACE FUNCTION triage_is_minor(taught bigint[], total bigint[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN triage_total(taught) > 0 AND 2 * triage_total(taught) < triage_total(total);
