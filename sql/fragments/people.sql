-- Condition: the ticket `t` meets the filters by people, tags, metadata and duplicates. NULL means any. Names are folded once for each
-- statement.
-- $1 requesters: one of these, in any letter case
-- $2 assignees: one of these, in any letter case
-- $3 is_assigned: whether there is an assignee
-- $4 tags: in lower case; at least one of these
-- $5 all_tags: in lower case; all of these
-- $6 metadata: an object with the allowed values of each key as an array
-- $7 duplicate_of: the ids of tickets of which it is a duplicate
($1::text[] IS NULL OR search_fold(t.requester) = ANY ((SELECT search_fold($1::text)::text[])::text[]))
    AND ($2::text[] IS NULL OR search_fold(t.assignee) = ANY ((SELECT search_fold($2::text)::text[])::text[]))
    AND ($3::boolean IS NULL OR (t.assignee IS NOT NULL) = $3::boolean)
    AND ($4::text[] IS NULL OR t.tags && $4::text[])
    AND ($5::text[] IS NULL OR t.tags @> $5::text[])
    AND ($6::jsonb IS NULL OR NOT EXISTS (
        SELECT
        FROM jsonb_each($6::jsonb) AS wanted
        WHERE (wanted.value ? (t.metadata ->> wanted.key)) IS NOT TRUE
    ))
    AND ($7::uuid[] IS NULL OR t.duplicate_of = ANY ($7::uuid[]))
