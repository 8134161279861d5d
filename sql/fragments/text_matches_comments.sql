-- Table: the ids of all tickets that have a comment whose text matches the search or, with search_in `all`, whose own text does.
(SELECT DISTINCT x.id FROM /* include: comment_hits */ tickets AS x (id))
