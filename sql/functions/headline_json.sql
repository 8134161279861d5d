-- Returns statistics as JSON, as clients see them. Tickets per day is the total divided by the days from the oldest
-- to the newest ticket, with fractions, at least one day. NULL counts as 0.
-- depends: breakdowns_json
CREATE OR REPLACE FUNCTION headline_json(
    total bigint, open bigint, oldest timestamptz, newest timestamptz,
    low bigint, medium bigint, high bigint, critical bigint,
    billing bigint, technical bigint, account bigint, general bigint
) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '{"total_tickets":' || coalesce(total, 0)
        || ',"open_tickets":' || coalesce(open, 0)
        || ',"avg_tickets_per_day":'
        || round(coalesce(total / greatest(1, extract(epoch FROM newest - oldest) / 86400), 0), 1)
        || ',' || breakdowns_json(low, medium, high, critical, billing, technical, account, general)
        || '}';
