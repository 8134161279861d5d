-- Returns {field: {"from": before, "to": after}}, or {} when both are the same. NULL is a value like any other: a
-- field that is set or cleared has null at one end.
CREATE OR REPLACE FUNCTION field_change(field text, before text, after text) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN before IS DISTINCT FROM after
            THEN jsonb_build_object(field, jsonb_build_object('from', before, 'to', after))
        ELSE '{}'
    END;

-- Likewise, for a value that is not a text.
CREATE OR REPLACE FUNCTION field_change(field text, before jsonb, after jsonb) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN before IS DISTINCT FROM after
            THEN jsonb_build_object(field, jsonb_build_object('from', before, 'to', after))
        ELSE '{}'
    END;
