-- Returns the first 64 different tokens among the first 4000 characters of a text: the bucket, and the word as it is
-- written there. Words are the same token when their first six letters are. Every character beyond ASCII is a letter,
-- whatever the locale, except Latin-1's signs and the general, CJK and full-width punctuation.
CREATE OR REPLACE FUNCTION triage_tokens(body text) RETURNS TABLE (bucket integer, token text)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 30
BEGIN ATOMIC
    SELECT w.bucket, (array_agg(w.token ORDER BY w.position))[1]
    FROM (
        SELECT split.token, split.position,
            (hashtextextended(left(lower(translate(split.token, '''’', '')), 6), 0) & 65535)::integer AS bucket
        FROM regexp_split_to_table(
            left(body, 4000),
            '[\u0001-\u0026\u0028-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u2018\u201a-\u206f\u3000-\u303f\uff00-\uff20]+'
        ) WITH ORDINALITY AS split (token, position)
        WHERE translate(split.token, '''’', '') <> ''
    ) AS w
    GROUP BY w.bucket
    ORDER BY min(w.position)
    LIMIT 64;
END;
