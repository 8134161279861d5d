-- Resets learning: the tickets created until now teach nothing any more, those created from now on do.
-- Retry: safe
SELECT triage_retrain(now())
