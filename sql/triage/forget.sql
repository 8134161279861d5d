-- Forgets all training examples. Tickets created from now on become new ones.
-- Retry: safe
SELECT triage_retrain(now())
