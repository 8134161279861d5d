"""How queries reach Postgres: connections, prepared statements, SQL files, errors."""
