-- Forgets all training examples and stops learning, until triage.forget or triage.rebuild.
-- Retry: safe
SELECT triage_retrain('infinity')
