-- Stores a new ticket and returns it.
-- Position: after
-- $1 title: already trimmed
-- $2 description: already trimmed
-- $3 category
-- $4 priority
-- $5 suggested_category: NULL in this and the following when the client gave the label
-- $6 category_confidence: from 0 to 1
-- $7 suggested_priority
-- $8 priority_confidence: from 0 to 1
-- $9 suggested_by: the name of the classifier; NULL when nothing was suggested
-- $10 created_by: the name of the client's API key; NULL when keys are not required
-- $11 created_request: the request id
-- $12 requester
-- $13 assignee
-- $14 tags: sorted, each once; NULL means none
-- $15 metadata: members that are null are left out; NULL means none
INSERT INTO tickets AS t (
    id, created_at, updated_at, title, description, category, priority,
    suggested_category, category_confidence, suggested_priority, priority_confidence, suggested_by,
    created_by, created_request, requester, assignee, tags, metadata
)
VALUES (
    uuid_v7(now()), now(), now(), $1::text, $2::text, $3::ticket_category, $4::ticket_priority,
    $5::ticket_category, $6::real, $7::ticket_priority, $8::real, $9::text,
    $10::text, $11::text, $12::text, $13::text, $14::text[], metadata_merge(NULL, $15::jsonb)
)
RETURNING 'created' AS outcome, ticket_json(t) AS ticket, t.id
