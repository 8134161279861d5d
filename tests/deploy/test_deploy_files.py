"""Deployment files: Dockerfile, compose.yaml, app.json, Procfile, the dashboard and the alert rules."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.conftest import ROOT
from tests.support.metrics import FAMILIES, PREFIX, sample_labels
from tests.unit.test_config import READ
from ticketsvc.config import Config

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.http import Service

DASHBOARD = json.loads((ROOT / "docs/operations/grafana-dashboard.json").read_text())
ALERTS = yaml.safe_load((ROOT / "docs/operations/alerts.yml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
PROCESSES = ("web", "worker", "migrate")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
APP = json.loads((ROOT / "app.json").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
URL = "postgresql://ann@db/tickets"


# --- metrics


@pytest.mark.parametrize("query", [*QUERIES, *(rule["expr"] for rule in RULES)])
def test_every_queried_metric_is_exported(query: str) -> None:
    samples = sample_labels()
    named = set(re.findall(r"ticketsvc_\w+", query))
    assert named
    assert named <= set(samples)
    labels = {"instance"}.union(*(samples[name] for name in named))
    used = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", query))
    used |= {name for names in re.findall(r"by \(([^)]*)\)", query) for name in names.split(", ")}
    assert used <= labels


def test_each_metric_is_on_the_dashboard() -> None:
    shown = " ".join(QUERIES)
    assert [name for name in FAMILIES if PREFIX + name not in shown] == []


def test_dashboard_has_no_duplicate_panels() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule["annotations"]) == {"summary", "action"}
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["expr"].count("(") == rule["expr"].count(")")


def test_each_scrape_has_all_metrics(service: Service) -> None:
    text = service.call("GET", "/metrics").body.decode()
    assert set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE)) == {PREFIX + name for name in FAMILIES}


# --- deploying


def test_app_json_sets_existing_settings_only() -> None:
    given = {name: setting["value"] for name, setting in APP["env"].items() if "value" in setting}
    assert set(APP["env"]) <= set(READ)
    config = Config.from_env({"DATABASE_URL": URL, **given})
    assert config.workers * (config.pool_size + config.bulk_calls + 1) <= 20 - 3  # a small plan, less what is reserved


def test_compose_sets_existing_settings_only() -> None:
    services = COMPOSE["services"]
    for name in PROCESSES:
        settings = services[name]["environment"]
        assert set(settings) <= set(READ)
        Config.from_env({name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for name, value in settings.items()})
    assert services["web"]["depends_on"]["role"]["condition"] == "service_completed_successfully"
    assert services["role"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert services["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert services["migrate"]["command"] == ["flask", "migrate"]


def test_compose_serves_as_a_role_that_owns_nothing() -> None:
    services = COMPOSE["services"]
    users = {name: urlsplit(services[name]["environment"]["DATABASE_URL"]).username for name in PROCESSES}
    owner = services["database"]["environment"]["POSTGRES_USER"]
    assert users == {"web": "ticket_service", "worker": "ticket_service", "migrate": owner}
    assert f"role={users['web']}" in services["role"]["command"]
    assert services["role"]["environment"]["PGUSER"] == owner
    assert "POSTGRES_PASSWORD" not in str(services["web"])
    [volume] = services["role"]["volumes"]
    source, target, _ = volume.split(":")
    assert services["role"]["command"][-1] == target
    assert (ROOT / source).exists()


def test_all_processes_of_compose_are_hardened() -> None:
    for name in ("web", "worker", "migrate", "role"):
        service = COMPOSE["services"][name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions, with continued lines joined."""
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def test_image_has_all_files_that_the_service_reads() -> None:
    known = {"FROM", "ARG", "COPY", "RUN", "WORKDIR", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}
    assert {word for word, _ in instructions()} == known
    copied = [path for word, rest in instructions() if word == "COPY" for path in rest.split()[:-1]]
    copied = [path for path in copied if not path.startswith(("--", "/opt"))]
    assert set(copied) == {
        "requirements.txt",
        "requirements-encoder.txt",
        "app.py",
        "gunicorn.conf.py",
        "migrations",
        "sql",
        "ticketsvc",
    }
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert allowed == set(copied)
    assert all((ROOT / path).exists() for path in copied)


def test_the_image_does_not_run_as_root() -> None:
    order = [word for word, _ in instructions()]
    assert order.index("USER") > len(order) - 1 - order[::-1].index("COPY")
    assert dict(instructions())["USER"].isdigit()


def test_image_has_no_embedded_database() -> None:
    assert "embedded" not in (ROOT / "requirements.txt").read_text()
    assert "requirements-embedded" not in DOCKERFILE


@pytest.mark.parametrize(
    ("given", "files"), [("off", ["requirements.txt"]), ("on", ["requirements.txt", "requirements-encoder.txt"])]
)
def test_the_build_argument_installs_the_encoder_and_switches_it_on(
    tmp_path: Path, given: str, files: list[str]
) -> None:
    """In the first stage it selects the files of requirements, in the second it is the default of the setting."""
    for program in ("python", "pip"):
        (tmp_path / program).write_text(f'#!/bin/sh\necho {program} "$@"\n')
        (tmp_path / program).chmod(0o755)
    install = next(rest for word, rest in instructions() if word == "RUN").replace("/opt/venv/bin/", "")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TRIAGE_ENCODER": given}
    printed = subprocess.run(["sh", "-c", install], env=environment, capture_output=True, text=True, check=True).stdout
    [installed] = [line.split() for line in printed.splitlines() if line.startswith("pip ")]
    assert "--require-hashes" in installed
    assert [file for flag, file in pairwise(installed) if flag == "-r"] == files
    assert [rest for word, rest in instructions() if word == "ARG"] == ["TRIAGE_ENCODER=off"] * 2
    assert "TRIAGE_ENCODER=$TRIAGE_ENCODER" in dict(instructions())["ENV"].split()


def test_health_check_of_the_image_works(service: Service) -> None:
    command = json.loads(dict(instructions())["HEALTHCHECK"].partition("CMD ")[2])
    command[0] = sys.executable
    check = [subprocess.run(command, env={"PORT": port}, check=False) for port in (str(service.port), "1")]
    assert [done.returncode for done in check] == [0, 1]


def test_all_deployments_run_the_same_command() -> None:
    procfile = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    assert procfile == {"release": "flask migrate", "web": "gunicorn app:app", "worker": "flask work"}
    assert COMPOSE["services"]["worker"]["command"] == shlex.split(procfile["worker"])
    assert json.loads(dict(instructions())["CMD"]) == shlex.split(procfile["web"])


def test_python_of_the_image_is_not_below_the_minimum() -> None:
    least = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["python_version"]
    images = {tuple(map(int, found.split("."))) for found in re.findall(r"FROM python:(3\.\d+)-slim", DOCKERFILE)}
    assert len(images) == 1
    assert images.pop() >= tuple(map(int, least.split(".")))
