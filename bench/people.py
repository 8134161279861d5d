"""Latency of filters by people, tags and metadata, of searches in comments, and of claims, on a server of its own."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import quote

import psycopg

from bench.harness import LOAD, say
from bench.servers import empty_server, service
from ticketsvc_dev.embedded.cluster import Cluster

CLIENTS, CLAIMING_CLIENTS = 4, 16
PAUSE = 50
"""In milliseconds, between two claims of a client. Without a pause, 16 clients measure how the cores are shared."""
SORTS = ["-created_at", "created_at", "-updated_at", "-priority"]
FILTERS = {
    "no filter": "",
    "requester of 20 tickets": "requester=user77@example.com",
    "five requesters": "&".join(f"requester=user{number}@example.com" for number in range(5)),
    "assignee": "assignee=agent7@example.com",
    "assignee, open": "assignee=agent7@example.com&status=open",
    "assigned": "assigned=true",
    "unassigned": "assigned=false",
    "unassigned, open": "assigned=false&status=open",
    "tag of 1,000 tickets": "tags=rare",
    "tag of half of the tickets": "tags=half",
    "one of two tags": "tags=half,third",
    "both of two tags": "tags_all=half,third",
    "metadata, a third of the tickets": "metadata[plan]=pro",
    "metadata, 100 tickets": "metadata[account]=7",
    "frequent tag, assignee": "tags=half&assignee=agent7@example.com",
    "frequent tag, requester": "tags=half&requester=user77@example.com",
    "search in comments, a word of one": "search_in=comments&search=xylophone",
    "search in comments, a number of one": "search_in=comments&search=T7777-2:",
    "search in comments, a word of every ticket": "search_in=all&search=router",
    "frequent tag, a day": "tags=half&created_since=2025-06-01&created_before=2025-06-02",
}
CLAIMS = {
    "any ticket": "",
    "category": "?category=billing",
    "frequent tag": "?tags=half",
    "metadata and category": "?metadata[plan]=pro&category=billing,technical",
}
TICKETS = """
    INSERT INTO tickets (id, title, description, created_at, updated_at, category, priority, status,
        requester, assignee, tags, metadata)
    SELECT uuid_v7(at), 'Ticket ' || n, 'The printer in room ' || n || ' prints nothing but invoices.', at,
        at + random() * '30 days'::interval,
        (enum_range(NULL::ticket_category))[1 + floor(random() * 4)],
        (enum_range(NULL::ticket_priority))[1 + floor(random() * 4)],
        state.status,
        'user' || n %% (%(rows)s / 20) || '@example.com',
        CASE WHEN random() < CASE state.status WHEN 'open' THEN 0.05 ELSE 0.6 END
            THEN 'agent' || floor(random() * 50) || '@example.com'
        END,
        nullif(array_remove(ARRAY[
            CASE WHEN random() < 0.5 THEN 'half' END, CASE WHEN n %% 1000 = 0 THEN 'rare' END,
            CASE WHEN random() < 0.33 THEN 'third' END
        ], NULL), '{}'),
        CASE WHEN random() < 0.33 THEN jsonb_build_object(
            'plan', CASE WHEN n %% 7 > 0 THEN 'pro' ELSE 'free' END, 'account', (n %% 3333)::text
        ) END
    FROM generate_series(1, %(rows)s) AS n
    CROSS JOIN LATERAL (SELECT '2025-01-01Z'::timestamptz + n * '400 days'::interval / %(rows)s) AS created (at)
    CROSS JOIN LATERAL (
        SELECT (enum_range(NULL::ticket_status))[1 + floor(random() * 4)] AS status WHERE n IS NOT NULL OFFSET 0
    ) AS state
"""
ATTRIBUTES = """
    INSERT INTO ticket_attributes (attribute, category, priority, status, id, updated_at)
    SELECT attribute, t.category, t.priority, t.status, t.id, t.updated_at
    FROM tickets AS t
    CROSS JOIN LATERAL unnest(ticket_attributes_of(t.requester, t.assignee, t.tags, t.metadata)) AS attribute
    ORDER BY attribute, t.category, t.priority, t.status, t.id
"""
TEXTS = """
    INSERT INTO ticket_texts (id, week, text)
    SELECT t.id, ticket_week(t.id), search_text(t.title, t.description) FROM tickets AS t
"""
COMMENTS = """
    INSERT INTO comments (ticket_id, version, id, created_at, author, internal, body, search_text)
    SELECT t.id, n + 1, uuid_v7(at), at, 'agent' || n %% 50, n %% 3 = 0, body, comment_text(body)
    FROM tickets AS t
    CROSS JOIN generate_series(1, 3) AS n
    CROSS JOIN LATERAL (SELECT t.created_at + n * '1 hour'::interval AS at) AS created
    CROSS JOIN LATERAL (
        SELECT 'Reply ' || n || ' about T' || substr(t.title, 8) || '-' || n || ': have you tried to restart the '
            || (ARRAY['printer', 'router', 'laptop', 'phone'])[1 + n]
            || CASE WHEN t.title = 'Ticket 7777' AND n = 2 THEN ' or the xylophone' ELSE '' END
    ) AS written (body)
"""
_LATENCY = re.compile(r"^ +(\d+)% +([\d.]+)(us|ms|s)$", re.MULTILINE)
_MILLISECONDS = {"us": 0.001, "ms": 1, "s": 1000}


def people(rows: int, seconds: float) -> str:
    """Measure each filter in each order, then claims, on a table of `rows` tickets, all with a requester.

    Each load takes `seconds`, each of claims twice as long.
    """
    lists = [
        f"| filter, {CLIENTS} clients | {' | '.join(SORTS)} |",
        f"| --- |{' ---: |' * len(SORTS)}",
    ]
    claims = [
        f"| claim, {CLAIMING_CLIENTS} clients | no pause: claims/s | p50 / p99 ms | pauses: claims/s | p50 / p99 ms |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    with server(rows) as cluster, service(cluster.url()) as address:
        for name, query in FILTERS.items():
            addresses = [f"{address}?limit=50&sort={sort}&{quote(query, '=&%,')}" for sort in SORTS]
            lists.append(f"| {name} | {' | '.join(_wrk(each, CLIENTS, seconds)[0] for each in addresses)} |")
            say(lists[-1])
        for name, query in CLAIMS.items():
            loads = [_wrk(address, CLAIMING_CLIENTS, 2 * seconds, quote(query, "?=&%,"), pause) for pause in (0, PAUSE)]
            claims.append(f"| {name} | {' | '.join(f'{rate:,.0f} | {latency}' for latency, rate in loads)} |")
            say(claims[-1])
    return "\n".join([*lists, "", *claims])


@contextmanager
def server(rows: int) -> Iterator[Cluster]:
    """Run a server with filled tables. Triggers are off while they are filled."""
    with empty_server() as cluster:
        with closing(psycopg.connect(cluster.url(), autocommit=True)) as connection:
            connection.execute("SET session_replication_role = replica")
            [index] = connection.execute("SELECT pg_get_indexdef('comments_search'::regclass)").fetchall()
            for statement in (
                TICKETS % {"rows": rows},
                ATTRIBUTES,
                TEXTS,
                "DROP INDEX comments_search",
                COMMENTS.replace("%%", "%"),
                "SET maintenance_work_mem = '1GB'",
                str(index[0]),
                "VACUUM ANALYZE",
            ):
                started = time.monotonic()
                connection.execute(statement.encode())
                say(f"{' '.join(statement.split()[:3])}: {time.monotonic() - started:.0f} s")
        yield cluster


def _wrk(address: str, clients: int, seconds: float, claim: str | None = None, pause: int = 0) -> tuple[str, float]:
    """Send requests, or claims with a query. Return p50 and p99 in milliseconds, and requests per second.

    Each client waits `pause` milliseconds before a claim, on average.
    """
    script = [] if claim is None else ["-s", str(LOAD / "claim.lua")]
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:.0f}s", "--latency", *script, address]
    environment = os.environ | {"QUERY": claim or "", "PAUSE": str(pause)}
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"{address} failed:\n{output}")
    times = {percent: float(number) * _MILLISECONDS[unit] for percent, number, unit in _LATENCY.findall(output)}
    rate = re.search(r"Requests/sec: +([\d.]+)", output)
    return f"{times['50']:.1f} / {times['99']:.1f}", float(rate[1]) if rate else 0.0
