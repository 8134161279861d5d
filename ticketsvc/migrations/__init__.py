"""The schema's migrations: `migrations/*.sql`, each with the `*.rollback.sql` that undoes it, read by yoyo.

A migration and its mark commit together, so one that was killed leaves nothing and is simply run again. Only
`-- transactional: false` (for CREATE INDEX CONCURRENTLY) cannot: such a file must be safe to run again from
its first statement (DROP INDEX CONCURRENTLY IF EXISTS, then CREATE: what an interrupted one leaves is an
invalid index). Applied files are never edited; a change is a new file. Dropping what running code uses takes
two releases.
"""

from ticketsvc.migrations.files import MIGRATIONS, expected_ids
from ticketsvc.migrations.run import apply, edited, pending, rollback
from ticketsvc.migrations.session import MigrationError
from ticketsvc.migrations.step import Patience

__all__ = ["MIGRATIONS", "MigrationError", "Patience", "apply", "edited", "expected_ids", "pending", "rollback"]
