-- Forgets the training examples of an API key, or counts them again. Returns their number.
-- Retry: safe
-- $1 key: its name
-- $2 forgotten
SELECT triage_forget($1::text, $2::boolean)
