-- Copies the tickets of a file to the staging table.
COPY staged_tickets (title, description, category, priority, status, created_at, updated_at, resolved_at) FROM STDIN
