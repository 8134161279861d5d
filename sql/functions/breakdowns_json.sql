-- Returns counts by priority and by category as members of a JSON object. NULL counts as 0.
CREATE OR REPLACE FUNCTION breakdowns_json(
    low bigint, medium bigint, high bigint, critical bigint,
    billing bigint, technical bigint, account bigint, general bigint
) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '"priority_breakdown":{"low":' || coalesce(low, 0)
        || ',"medium":' || coalesce(medium, 0)
        || ',"high":' || coalesce(high, 0)
        || ',"critical":' || coalesce(critical, 0)
        || '},"category_breakdown":{"billing":' || coalesce(billing, 0)
        || ',"technical":' || coalesce(technical, 0)
        || ',"account":' || coalesce(account, 0)
        || ',"general":' || coalesce(general, 0)
        || '}';
