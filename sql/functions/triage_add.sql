-- Returns label counts plus a multiple of others, label by label.
CREATE OR REPLACE FUNCTION triage_add(a bigint[], b bigint[], times bigint DEFAULT 1) RETURNS bigint[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ARRAY[
        a[1] + times * b[1], a[2] + times * b[2], a[3] + times * b[3], a[4] + times * b[4],
        a[5] + times * b[5], a[6] + times * b[6], a[7] + times * b[7], a[8] + times * b[8]
    ];

-- Returns the sum of label counts, each times a number.
CREATE OR REPLACE AGGREGATE triage_sum(bigint[], bigint) (
    sfunc = triage_add,
    stype = bigint[],
    initcond = '{0,0,0,0,0,0,0,0}'
);
