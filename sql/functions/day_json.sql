-- Returns the counts of one day as JSON. NULL counts as 0.
-- depends: breakdowns_json
CREATE OR REPLACE FUNCTION day_json(
    low bigint, medium bigint, high bigint, critical bigint,
    billing bigint, technical bigint, account bigint, general bigint
) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '{"total":' || coalesce(low + medium + high + critical, 0)
        || ',' || breakdowns_json(low, medium, high, critical, billing, technical, account, general)
        || '}';
