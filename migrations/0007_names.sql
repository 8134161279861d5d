-- Names: the field's standard terms for tables, columns, functions and triggers. Nothing else changes.
-- The bodies of functions and the conditions of triggers are in sql/functions and sql/triggers, which are applied in
-- the transaction of this migration. The old names that the previous release uses are in sql/compatibility.sql.
-- depends: 0006_trust

-- Statements that change tickets finish first: their triggers run the old bodies. Reads of tickets do not wait.
LOCK TABLE tickets IN SHARE ROW EXCLUSIVE MODE;

-- The constraint idempotency_keys_pkey keeps its name: the previous release recognizes it in errors.
ALTER TABLE idempotency_keys RENAME TO idempotency_records;
ALTER TABLE idempotency_records RENAME COLUMN key TO key_hash;
ALTER TABLE idempotency_records RENAME COLUMN fingerprint TO body_hash;
ALTER TABLE idempotency_records RENAME COLUMN answer TO response;

ALTER TABLE ticket_changes RENAME TO ticket_count_deltas;
ALTER TABLE ticket_quarters RENAME TO ticket_counts_15min;
ALTER TABLE ticket_counts_15min RENAME COLUMN quarter TO interval_start;
ALTER TABLE ticket_counts_15min RENAME CONSTRAINT ticket_quarters_pkey TO ticket_counts_15min_pkey;

ALTER TABLE triage_memory RENAME TO triage_training;
ALTER TABLE triage_training RENAME COLUMN since TO cutoff;
ALTER TABLE triage_texts RENAME TO triage_text_counts;
ALTER TABLE triage_text_counts RENAME COLUMN fingerprint TO text_hash;
ALTER TABLE triage_text_counts RENAME COLUMN votes TO label_counts;
ALTER TABLE triage_text_counts RENAME CONSTRAINT triage_texts_pkey TO triage_text_counts_pkey;
-- triage_weights becomes triage_token_counts one release later (sql/compatibility.sql says why).

ALTER FUNCTION tickets_complete RENAME TO tickets_defaults;
ALTER FUNCTION category_lesson RENAME TO category_label;
ALTER FUNCTION priority_lesson RENAME TO priority_label;
ALTER FUNCTION triage_forget RENAME TO triage_reset;
ALTER FUNCTION quarter_hour RENAME TO floor_15min;
ALTER FUNCTION quarters_of RENAME TO delta_counts_15min;
ALTER FUNCTION count_none RENAME TO reset_counts;
ALTER FUNCTION without_texts RENAME TO redact_texts;
ALTER FUNCTION ticket_history_forget RENAME TO ticket_history_reset;

-- These have other parameters or result columns under their new names, which CREATE OR REPLACE cannot change.
DROP FUNCTION triage_ballot, triage_words, triage_lesson, triage_shares, triage_rebuild;
DROP FUNCTION fold_ticket_changes;
DROP FUNCTION ticket_created, ticket_first, ticket_difference;

ALTER TRIGGER tickets_complete ON tickets RENAME TO tickets_defaults;
ALTER TRIGGER triage_forget ON tickets RENAME TO triage_reset;
ALTER TRIGGER count_none ON tickets RENAME TO reset_counts;
ALTER TRIGGER ticket_history_forget ON tickets RENAME TO ticket_history_reset;
