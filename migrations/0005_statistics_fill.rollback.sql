-- transactional: false
DROP TRIGGER IF EXISTS count_none ON tickets;

DROP TRIGGER IF EXISTS count_deleted ON tickets;

DROP TRIGGER IF EXISTS count_changed ON tickets;

DROP TRIGGER IF EXISTS count_created ON tickets;

DROP INDEX CONCURRENTLY IF EXISTS tickets_resolved;
