"""A reader of /metrics that checks the format."""

from __future__ import annotations

import re

from ticketsvc.server.metrics.catalogue import PREFIX

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\n"])*)"')

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: str) -> Samples:
    """Return the samples of an exposition; fail on an invalid line or a duplicate sample."""
    samples: Samples = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge|histogram))", line), line
            continue
        found = SAMPLE.fullmatch(line)
        assert found, line
        key = (found[1].removeprefix(PREFIX), frozenset(LABEL.findall(found[2] or "")))
        assert key not in samples, line
        samples[key] = float(found[3])
    return samples


def value(samples: Samples, name: str, **labels: str) -> float:
    """Return the sum of the samples of a name that have these labels."""
    return sum(v for (found, given), v in samples.items() if found == name and given >= labels.items())
