"""The commands `flask webhooks`."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg

from tests.support.webhooks import insert_delivery
from ticketsvc.application import create_app
from ticketsvc.config import Config

if TYPE_CHECKING:
    from click.testing import Result


def test_a_webhook_from_its_registration_to_its_removal(own_url: str) -> None:
    runner = create_app(Config(database_url=own_url)).test_cli_runner()

    def run(*arguments: str, status: int = 0) -> Result:
        result = runner.invoke(args=["webhooks", *arguments])
        assert result.exit_code == status, result.output
        return result

    added = run("add", "https://example.com/x", "--type", "ticket.created", "--filters", "?status=open", "--public")
    secret = re.search(r"^whsec_[A-Za-z0-9+/]{43}=$", added.stdout, re.MULTILINE)
    assert secret
    listed = run("list").output
    header, row = (re.split(r"  +", line) for line in listed.splitlines())
    assert header == ["ID", "URL", "TYPES", "FILTERS", "STATE", "PENDING", "DELIVERED", "FAILED"]
    webhook_id = row[0]
    assert row[1:] == ["https://example.com/x", "created", "status=open", "enabled", "0", "0", "0"]
    assert secret[0] not in listed
    with closing(psycopg.connect(own_url, autocommit=True)) as database:
        delivery_id = insert_delivery(database, webhook_id, "failed")
    assert delivery_id in run("deliveries", webhook_id, "--state", "failed").output
    assert "is due" in run("redeliver", webhook_id, delivery_id).output
    assert delivery_id not in run("deliveries", webhook_id, "--state", "failed").output
    assert run("rotate", webhook_id).stdout.startswith("whsec_")
    run("disable", webhook_id)
    assert "disabled: Disabled by a request." in run("list").output
    assert "Enable it first" in run("redeliver", webhook_id, delivery_id, status=1).output
    run("enable", webhook_id, "--after", "latest")
    assert "skipped" in run("deliveries", webhook_id).output
    run("remove", webhook_id)
    assert len(run("list").output.splitlines()) == 1
    for arguments, message in (
        (["remove", str(uuid4())], "There is no webhook"),
        (["add", "http://example.com"], "URL must begin with https://"),
        (["add", "https://example.com", "--filters", "stauts=open"], "stauts is not a parameter"),
        (["add", "https://example.com", "--after", "00000000-7"], "no longer kept"),
    ):
        assert message in run(*arguments, status=1).output
    assert "the id of an event" in run("enable", webhook_id, "--after", "x", status=2).output
