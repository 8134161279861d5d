"""Schema, migrations, triggers and query plans."""
