-- Value: the time of the first response to the ticket `t` when a comment is added at comment.at, which is now. A response is a
-- comment that is not internal and not by the requester. The time is never changed: not when that comment is deleted, nor when
-- the ticket gets another requester.
-- $1 author
-- $2 internal
CASE
    WHEN t.first_response_at IS NULL
        AND NOT $2::boolean
        AND (search_fold($1::text) = search_fold(t.requester)) IS NOT TRUE
        THEN greatest(comment.at, t.updated_at)
    ELSE t.first_response_at
END
