"""Generates the screenshots of the README from demo data: `script/screenshots`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize, expect, sync_playwright

from tests.browser.conftest import FLAGS, TIMEOUT_MS, chromium
from tests.browser.steps import panel, rows
from tests.conftest import ROOT, serve
from tests.support.postgres import create_database, server
from ticketsvc import migrations

IMAGES = ROOT / "docs" / "images"
TICKETS = 2000
SIZE = ViewportSize(width=1280, height=800)


def main() -> None:
    """Fill a temporary database with demo tickets and take a picture of the console in each color scheme."""
    IMAGES.mkdir(exist_ok=True)
    with server() as cluster, tempfile.TemporaryDirectory() as folder:
        url = create_database(cluster)
        migrations.apply(url)
        demo = [sys.executable, "-m", "flask", "tickets", "demo", str(TICKETS)]
        subprocess.run(demo, cwd=ROOT, env={"DATABASE_URL": url}, check=True)
        with serve(url, Path(folder) / "log") as service, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            for scheme in ("light", "dark"):
                page = browser.new_page(color_scheme=scheme, viewport=SIZE)
                page.set_default_timeout(TIMEOUT_MS)
                page.goto(f"http://127.0.0.1:{service.port}/")
                expect(rows(page).nth(3)).to_be_visible(timeout=TIMEOUT_MS)
                rows(page).nth(2).click()
                expect(panel(page)).to_be_visible(timeout=TIMEOUT_MS)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=IMAGES / f"console-{scheme}.png")
                print(f"docs/images/console-{scheme}.png")
            browser.close()


if __name__ == "__main__":
    main()
