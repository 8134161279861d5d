-- Returns the tokens of a text with the weight of each in hundredths, and the sum of the weights as bucket -1. The
-- tokens of a text with more than 16 share the weight of 16, so that no long text outweighs others.
CREATE OR REPLACE FUNCTION token_weights(buckets integer[]) RETURNS TABLE (bucket integer, weight integer)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT token.bucket, least(100, 1600 / cardinality(buckets)) FROM unnest(buckets) AS token (bucket)
    UNION ALL
    SELECT -1, least(100, 1600 / cardinality(buckets)) * cardinality(buckets);
END;
