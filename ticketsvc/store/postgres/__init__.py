"""Access to Postgres: connections, SQL files, prepared statements and errors."""
