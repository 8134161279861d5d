-- Copies the lines of a file to the staging table.
COPY staged_tickets (
    line, title, description, category, priority, status, created_at, updated_at, errors, unreadable
) FROM STDIN
