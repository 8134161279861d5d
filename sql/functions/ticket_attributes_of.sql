-- Returns the attributes of a ticket as texts, by which lists find it; NULL if it has none. People are folded as in a search,
-- because filters by them ignore letter case.
-- depends: search_fold
CREATE OR REPLACE FUNCTION ticket_attributes_of(requester text, assignee text, tags text[], metadata jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN nullif(
        array_remove(ARRAY[
            'requester ' || search_fold(requester),
            'assignee ' || search_fold(assignee),
            CASE WHEN assignee IS NOT NULL THEN 'assigned' END
        ], NULL)
        || ARRAY(SELECT 'tag ' || tag FROM unnest(tags) AS tag)
        || ARRAY(SELECT 'metadata ' || member.key || '=' || member.value FROM jsonb_each_text(metadata) AS member),
        '{}'
    );
