-- Returns the metadata of a ticket as JSON without white space.
CREATE OR REPLACE FUNCTION metadata_json(metadata jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT '{' || string_agg(to_json(member.key) || ':' || to_json(member.value), ',') || '}'
        FROM jsonb_each_text(metadata) AS member
    );
