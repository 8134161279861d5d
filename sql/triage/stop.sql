-- Switches learning off: no ticket teaches any more, until lessons are forgotten (then new ones do) or rebuilt (then all).
-- Retry: safe
SELECT triage_retrain('infinity')
