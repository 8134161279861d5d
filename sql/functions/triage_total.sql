-- Returns the sum of label counts over all labels.
CREATE OR REPLACE FUNCTION triage_total(a bigint[]) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN a[1] + a[2] + a[3] + a[4] + a[5] + a[6] + a[7] + a[8];
