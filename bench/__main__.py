"""The command line of the benchmarks: `bench/run compare`, `bench/run all`. Tables go to standard output."""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import json_makers
from bench.attacks import attacks
from bench.bulk import bulk
from bench.compare import OPERATIONS, Load, compare, serving_variants
from bench.cost import cost
from bench.counting import counting
from bench.events import events
from bench.harness import Harness, say
from bench.people import people
from bench.replicas import replicas
from bench.scale import scale
from bench.search import search
from bench.similar import similar
from bench.soak import soak
from bench.stalls import stalls
from bench.stats import SIZES, statistics
from bench.storage import storage
from bench.triage import triage
from bench.triage_mails import mails
from bench.trust import trust
from bench.walk import walk


def main() -> None:
    """Run one benchmark or all."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(_machine())
    for name, run in RUNS.items():
        if options.what in (name, "all"):
            started = time.monotonic()
            say(f"--- {name}")
            try:
                table = run(options)
            except subprocess.CalledProcessError as error:
                raise SystemExit(f"This command failed with the error above: {error.cmd}") from None
            print(f"\n## {name}\n\n{table}\n\n{time.monotonic() - started:.0f} s.", flush=True)


def run_compare(options: argparse.Namespace) -> str:
    """Compare this service with its peers."""
    harness = Harness(options.rows, options.baseline)
    names = list(dict.fromkeys(["ours", *(["baseline"] if options.baseline else []), *options.only]))
    harness.prepare(names, options.reload)
    return compare(harness, {name: harness.known[name] for name in names}, options.ops, _load(options))


def run_cost(options: argparse.Namespace) -> str:
    """Count the instructions of a request and compare them with an earlier commit's."""
    harness = Harness(options.rows, options.baseline or "HEAD~1")
    names = ["ours", "baseline"]
    harness.prepare(names, options.reload)
    return cost(harness, {name: harness.known[name] for name in names}, options.ops, requests=options.rounds * 50)


def run_attacks(options: argparse.Namespace) -> str:
    """Measure what other clients notice of one that attacks the service."""
    harness = _prepared(options)
    return attacks(harness, harness.known["ours"], options.seconds)


def run_events(options: argparse.Namespace) -> str:
    """Measure the feed of events under load, and the cost of listeners."""
    harness = _prepared(options)
    return events(harness, harness.known["ours"], options.seconds)


def run_serving(options: argparse.Namespace) -> str:
    """Compare ways to serve this application."""
    return compare(_prepared(options), serving_variants(), ["create", "list"], _load(options))


def run_walk(options: argparse.Namespace) -> str:
    """Measure pages near and far from the start of a list."""
    return walk(_prepared(options), rounds=options.rounds * 3, requests=options.seconds * 20)


def run_search(options: argparse.Namespace) -> str:
    """Measure searches of all kinds."""
    return search(_prepared(options), requests=options.seconds * 10)


def run_json(options: argparse.Namespace) -> str:
    """Compare JSON written by Postgres and by Python."""
    return json_makers.measure(_prepared(options), options.rounds, calls=options.seconds * 500)


def run_trust(options: argparse.Namespace) -> str:
    """Measure the cost of idempotency keys, history, API keys and rate limits."""
    return trust(_prepared(options), options.rounds, calls=options.seconds * 250)


def run_soak(options: argparse.Namespace) -> str:
    """Memory over many requests, on a table of 10,000 tickets."""
    harness = Harness(10_000)
    harness.prepare(["ours"], options.reload)
    return soak(harness, options.requests, seconds=1800)


def run_bulk(options: argparse.Namespace) -> str:
    """Measure imports and exports, also those of an earlier commit."""
    harness = Harness(options.rows, options.baseline)
    harness.prepare(["ours", *(["baseline"] if options.baseline else [])], options.reload)
    return bulk(harness, tickets=options.requests, rounds=options.rounds)


def run_scale(options: argparse.Namespace) -> str:
    """All kinds of requests, by four clients, on tables of several sizes."""
    return scale(options.sizes, options.seconds, connections=4)


def run_triage(options: argparse.Namespace) -> str:
    """Measure the accuracy, the learning curves and the cost of triage."""
    return triage(options.data, requests=options.seconds * 50)


def run_stats(options: argparse.Namespace) -> str:
    """Statistics on tables of several sizes."""
    return statistics([(rows, Harness(rows)) for rows in SIZES], options.seconds, options.reload)


def run_mails(_options: argparse.Namespace) -> str:
    """Measure the learning curves of triage on short texts and long mails."""
    return mails()


def run_people(options: argparse.Namespace) -> str:
    """Measure filters by people, tags and metadata, and claims, on a table of their own."""
    return people(options.rows, max(1, options.seconds // 4))


def run_stalls(options: argparse.Namespace) -> str:
    """Measure the longest stall of a writer from the pending list of the search index."""
    return stalls(options.requests // 5, options.rounds)


def run_storage(options: argparse.Namespace) -> str:
    """Measure the bytes that a ticket takes."""
    return storage(options.requests // 5)


def run_similar(options: argparse.Namespace) -> str:
    """Measure similar tickets: recall and latency, on a table of their own."""
    return similar(options.rows)


def run_replicas(options: argparse.Namespace) -> str:
    """Measure reads on a replica: own writes, and the CPU of the primary."""
    return replicas(min(options.rows, 100_000), pairs=options.seconds * 25, rounds=options.rounds)


def run_counting(options: argparse.Namespace) -> str:
    """Measure the cost of metrics."""
    return counting(batches=options.rounds * 100)


RUNS: dict[str, Callable[[argparse.Namespace], str]] = {
    "compare": run_compare,
    "cost": run_cost,
    "walk": run_walk,
    "search": run_search,
    "stats": run_stats,
    "serving": run_serving,
    "json": run_json,
    "soak": run_soak,
    "bulk": run_bulk,
    "scale": run_scale,
    "triage": run_triage,
    "mails": run_mails,
    "trust": run_trust,
    "counting": run_counting,
    "people": run_people,
    "stalls": run_stalls,
    "storage": run_storage,
    "similar": run_similar,
    "attacks": run_attacks,
    "events": run_events,
    "replicas": run_replicas,
}


def _prepared(options: argparse.Namespace) -> Harness:
    harness = Harness(options.rows)
    harness.prepare(["ours"], options.reload)
    return harness


def _load(options: argparse.Namespace) -> Load:
    return Load(options.seconds, options.warmup, options.connections, options.rounds)


def _parser() -> argparse.ArgumentParser:
    default_data = Path(os.environ.get("LABELLED_TICKETS", "labelled-tickets"))
    parser = argparse.ArgumentParser(prog="bench/run", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("what", choices=[*RUNS, "all"])
    parser.add_argument("--data", type=Path, default=default_data, help="triage: labelled tickets; or LABELLED_TICKETS")
    parser.add_argument("--rows", type=int, default=1_000_000, help="tickets in each table")
    parser.add_argument("--only", type=_names, default="seed,drf,fastapi,pgbench", help="compare: the peers")
    parser.add_argument("--baseline", metavar="REVISION", help="compare, bulk: also measure this commit of the service")
    parser.add_argument("--ops", type=_operations, default=",".join(OPERATIONS), help="compare: the operations")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8, help="duration of one load")
    parser.add_argument("--warmup", type=int, default=2, help="seconds before one load")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument(
        "--requests", type=int, default=100_000, help="soak: requests; bulk: tickets; stalls, storage: a fifth"
    )
    parser.add_argument("--sizes", type=_sizes, default="10000,100000,1000000", help="scale: tickets in the tables")
    parser.add_argument("--reload", action="store_true", help="create this service's table again")
    return parser


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _sizes(text: str) -> list[int]:
    return [int(size) for size in _names(text)]


def _operations(text: str) -> list[str]:
    names = _names(text)
    if unknown := set(names) - set(OPERATIONS):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(OPERATIONS)}")
    return names


def _machine() -> str:
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ":")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({model.partition(': ')[2]}), {memory:.0f} GB, "
        f"{platform.system()}, Python {platform.python_version()}. "
        f"`bench/run {shlex.join(sys.argv[1:])}`"
    )


if __name__ == "__main__":
    main()
