-- Resets learning: the tickets created until now teach nothing any more, those created from now on do.
SELECT triage_rebuild(now())
