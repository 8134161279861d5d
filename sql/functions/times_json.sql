-- Returns the number of resolution times, their median and their 90th percentile in seconds as members of a JSON
-- object.
CREATE OR REPLACE FUNCTION times_json(tickets bigint, seconds double precision[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '"count":' || coalesce(tickets, 0)
        || ',"median_seconds":' || coalesce(round(seconds[1]::numeric, 3)::text, 'null')
        || ',"p90_seconds":' || coalesce(round(seconds[2]::numeric, 3)::text, 'null');
