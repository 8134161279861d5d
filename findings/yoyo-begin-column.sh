#!/bin/sh
# yoyo-migrations 9.0.0 with sqlparse 0.6.1: a column named "begin" glues the following statements to its own.
#
# yoyo splits a .sql migration with sqlparse.split(), which takes an unquoted column named `begin` for the start of a
# block. Both CREATE TABLE statements below are valid SQL. They arrive at the database as one string: SQLite refuses it,
# and PostgreSQL runs it as one implicit transaction, which matters for `-- transactional: false` migrations.
#
# Seen: sqlparse.split() returns 1 statement instead of 2; yoyo fails with
#   ProgrammingError: You can only execute one statement at a time.
# Quoting the column ("begin") avoids it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check yoyo-migrations==9.0.0 sqlparse==0.6.1
mkdir "$folder/migrations"
cat > "$folder/migrations/0001.sql" <<'SQL'
CREATE TABLE shift (begin integer, finish integer);
CREATE TABLE pause (length integer);
SQL
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sqlite3
import sqlparse
from yoyo import get_backend, read_migrations

text = open("migrations/0001.sql").read()
sqlite3.connect(":memory:").executescript(text)  # both statements are valid
parts = len(sqlparse.split(text))
quoted = len(sqlparse.split(text.replace("(begin", '("begin"')))
print(f"sqlparse.split(): {parts} statement, with the column quoted: {quoted}")
assert (parts, quoted) == (1, 2), "sqlparse behaves differently now"

backend = get_backend("sqlite:///test.db")
try:
    backend.apply_migrations(backend.to_apply(read_migrations("migrations")))
except Exception as error:
    print(f"yoyo: {type(error).__name__}: {error}")
    assert "one statement at a time" in str(error), "yoyo fails differently now"
else:
    raise SystemExit("yoyo applied the migration: it behaves differently now")
PYTHON
