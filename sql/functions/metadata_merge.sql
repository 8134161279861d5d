-- Returns metadata after a JSON merge patch (RFC 7396): members that are null are removed. NULL means none; a patch that is
-- NULL removes all.
CREATE OR REPLACE FUNCTION metadata_merge(metadata jsonb, patch jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN nullif(jsonb_strip_nulls(coalesce(metadata, '{}') || patch), '{}');
