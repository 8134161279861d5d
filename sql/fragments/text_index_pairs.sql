-- Condition: what the index of pairs knows about `x.text`. It holds for every text that matches search_patterns.
-- $1 index_words: words of the search with characters beyond ASCII, not folded
octet_length(x.text) <> char_length(x.text)
    AND search_pairs(x.text) @> ARRAY(
        SELECT pair
        FROM unnest($1::text[]) AS word
        CROSS JOIN unnest(search_pairs(search_fold(word))) AS pair
    )
