-- Switches learning off: no ticket teaches any more, until lessons are forgotten (then new ones do) or rebuilt (then all).
SELECT triage_rebuild('infinity')
