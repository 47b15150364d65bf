"""How long the page takes in a real browser with a full catalog: `python -m benchmarks.page_at_scale`.

Fills a catalog in SQLite with 500 assets in 3 regions with 10,000 points each (2.6 GB; about eight minutes), starts
Airflow's API server with the page, and opens it in Chromium. Prints the median of five loads of each page as JSON:
seconds from the navigation's start to the end of its load event. `--points` and `--assets` make it smaller.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from sqlalchemy import Connection, insert

from dr_lib.catalog.db.opening import CatalogDb
from dr_lib.catalog.db.tables import ASSETS, COPIES, DRILLS, POINTS, REGIONS
from dr_lib.format.layout import point_id
from tests.e2e.test_page import CHROMIUM, QUIET
from tests.stack.api_server import api_server, token

REGION_NAMES = ("us-east", "eu-west", "ap-south")
NOW = datetime.now(UTC)
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"
LOADS = 5


def main() -> None:
    """Fill, open, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=500)
    parser.add_argument("--points", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        begun = time.monotonic()
        fill(home, options.assets, options.points)
        filled = round(time.monotonic() - begun, 1)
        size = (home / "state" / "catalog.sqlite").stat().st_size
        with server(home) as (url, word):
            seconds = opened(url, word, options.assets)
    facts = {"assets": options.assets, "regions": len(REGION_NAMES), "points of each": options.points}
    print(json.dumps({**facts, "catalog_bytes": size, "filled_s": filled, "median_load_s": seconds}, indent=1))


def fill(home: Path, assets: int, points: int) -> None:
    """A configuration and a catalog of that many."""
    regions = {name: {"url": f"file://{home / name}"} for name in REGION_NAMES}
    kept = {
        f"asset-{n:03}": {"kind": "model", "source": str(home), "regions": list(REGION_NAMES)} for n in range(assets)
    }
    config = {"version": 1, "encryption": "none", "regions": regions, "assets": kept}
    (home / "dr.yaml").write_text(json.dumps(config))
    database = CatalogDb(f"sqlite:///{home / 'state' / 'catalog.sqlite'}")
    for name in kept:
        with database.writing() as connection:
            put(connection, name, points)


def put(connection: Connection, asset: str, points: int) -> None:
    """One asset: every point verified everywhere, a drill a week."""
    moments = [NOW - timedelta(minutes=10 + 60 * number) for number in range(points)]
    ids = [point_id(at, number.to_bytes(4)) for number, at in enumerate(moments)]
    newest = {"verified_at": moments[0], "points": points}
    entry = {"asset": asset, "kind": "model", "observed_at": NOW, "protected_until": NOW + timedelta(days=1), **newest}
    objectives = {
        "rpo_objective_s": 86400.0,
        "rto_objective_s": 900.0,
        "logical_bytes": 91_600_000,
        "stored_bytes": 74_800_000,
    }
    connection.execute(insert(ASSETS), [{**entry, **objectives, "problems": "[]", "failing_since": None}])
    seen = {"state": "verified", "newest": ids[0], "read_at": NOW, "unread_s": 60.0, "locked_until": NOW, "silent": ""}
    rows = [
        {"asset": asset, "region": name, "place": place, **seen, **newest} for place, name in enumerate(REGION_NAMES)
    ]
    connection.execute(insert(REGIONS), rows)
    sizes = {"logical_bytes": 91_600_000, "stored_bytes": 74_800_000, "files": 13, "quarantined": ""}
    made = list(zip(ids, moments, strict=True))
    connection.execute(insert(POINTS), [{"asset": asset, "point": one, "created_at": at, **sizes} for one, at in made])
    read = {"state": "verified", "detail": ""}
    copies = [
        {"asset": asset, "point": one, "region": name, "verified_at": at, **read}
        for one, at in made
        for name in REGION_NAMES
    ]
    connection.execute(insert(COPIES), copies)
    judged = {"scenario": "region-lost", "expected": "recovery", "verdict": "proven", "policy_sha256": "ab" * 32}
    drills = [
        {"asset": asset, "drill": one, "finished_at": at, "rto_s": 8.0 + number % 7, "rpo_s": 600.0, **judged}
        for number, (one, at) in enumerate(made[::168])
    ]
    connection.execute(insert(DRILLS), drills)


@contextmanager
def server(home: Path) -> Iterator[tuple[str, str]]:
    """Airflow's API server with the page: its address, and a token."""
    airflow = home / "airflow"
    airflow.mkdir()
    with api_server(airflow, home / "dr.yaml", DR_STATE_DIR=str(home / "state")) as url:
        yield url, token(url, "look")


def opened(url: str, word: str, assets: int) -> dict[str, Any]:
    """The median load of each page, after one that warms the server up."""
    last = f"asset-{assets - 1:03}"
    pages = ("/dr/view", f"/dr/view?offset={max(0, assets - 50)}", f"/dr/view?search={last}", f"/dr/view/assets/{last}")
    found: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = browser.new_context()
        context.add_cookies([{"name": "_token", "value": word, "url": url}])
        page = context.new_page()
        for path in pages:
            page.goto(f"{url}{path}")
            times = [_load(page, f"{url}{path}") for _ in range(LOADS)]
            found[path] = round(statistics.median(times), 3)
        browser.close()
    return found


def _load(page: Any, address: str) -> float:
    page.goto(address, wait_until="load")
    page.wait_for_function(f"{LOADED} > 0")
    return float(page.evaluate(LOADED))


if __name__ == "__main__":
    main()
