"""The text format of Prometheus, version 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate

from ticketsvc.server.metrics.board import Snapshot
from ticketsvc.server.metrics.catalogue import BOUNDS, FAMILIES, PREFIX, Family

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_UPPER = (*(f"{bound:g}" for bound in BOUNDS), "+Inf")


def write(snapshot: Snapshot) -> str:
    """All metrics of a snapshot, each with its help and its kind. One that nobody counted yet has no samples."""
    samples: dict[str, list[str]] = {name: [] for name in FAMILIES}
    for (name, *values), value in sorted({**snapshot.counters, **snapshot.gauges}.items()):
        samples[name].append(f"{PREFIX}{name}{_labels(FAMILIES[name].labels, values)} {_number(value)}")
    for (name, *values), histogram in sorted(snapshot.histograms.items()):
        samples[name].extend(_histogram(name, FAMILIES[name], values, histogram))
    return "".join(f"{line}\n" for name, family in FAMILIES.items() for line in _family(name, family, samples[name]))


def _family(name: str, family: Family, samples: list[str]) -> list[str]:
    return [f"# HELP {PREFIX}{name} {family.help}", f"# TYPE {PREFIX}{name} {family.kind}", *samples]


def _histogram(name: str, family: Family, values: list[str], histogram: list[float]) -> Iterator[str]:
    seconds, *buckets = histogram
    counts = list(accumulate(buckets))
    for upper, count in zip(_UPPER, counts, strict=True):
        yield f"{PREFIX}{name}_bucket{_labels((*family.labels, 'le'), (*values, upper))} {_number(count)}"
    labels = _labels(family.labels, values)
    yield f"{PREFIX}{name}_sum{labels} {_number(seconds)}"
    yield f"{PREFIX}{name}_count{labels} {_number(counts[-1])}"


def _labels(names: Iterable[str], values: Iterable[str]) -> str:
    pairs = [f'{name}="{value.translate(_ESCAPES)}"' for name, value in zip(names, values, strict=True)]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
