-- Takes the lines of a file as they come.
COPY staged_tickets (
    line, title, description, category, priority, status, created_at, updated_at, faults, unreadable
) FROM STDIN
