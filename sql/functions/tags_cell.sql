-- Returns tags as a cell of CSV, which imports read: separated by commas; as JSON if one of them has a character that would
-- make this ambiguous.
CREATE OR REPLACE FUNCTION tags_cell(tags text[]) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN array_to_string(tags, '') ~ '[][,]' THEN to_json(tags)::text ELSE array_to_string(tags, ',') END;
