-- Stores a new ticket and answers it.
-- $1 title: already trimmed
-- $2 description: already trimmed
-- $3 category
-- $4 priority
INSERT INTO tickets (id, created_at, updated_at, title, description, category, priority)
VALUES (uuid_v7(now()), now(), now(), $1::text, $2::text, $3::ticket_category, $4::ticket_priority)
RETURNING ticket_json(tickets), version, id
