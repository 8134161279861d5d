-- Condition: what the index by text knows about the pairs of characters in `x.text`. It holds for every text that matches
-- search_patterns.
-- $1 index_words: words of the search with characters beyond ASCII, not folded
search_pairs(x.text) @> ARRAY(
        SELECT pair
        FROM unnest($1::text[]) AS word
        CROSS JOIN unnest(search_pairs(search_fold(word))) AS pair
    )
