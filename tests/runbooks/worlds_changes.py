"""Worlds of runbooks in which something is to change: another standby, a faster way back, another region or vault."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tests.runbooks.world_parts import TABLES, backup, tables

if TYPE_CHECKING:
    from tests.runbooks.runbook_world import RunbookWorld

NEW = "ap-south"
PROMISED, LIMIT = "14s", "20KiB/s"  # each of the two files takes 7.4 s at this rate


def _limit_and_drill(world: RunbookWorld, asset: str) -> None:
    _change(world, lambda document: [one.update(limits={"download": LIMIT}) for one in document["regions"].values()])
    world.runtime.drill(asset, None, None, None)


EVENTS: dict[str, Callable[..., None]] = {
    r"somebody limits what may be downloaded, and the schedule drills (?P<asset>\w+)": _limit_and_drill,
}


def standby_unavailable(world: RunbookWorld) -> None:
    """A dataset with verified copies in two regions, and a standby that is too small for it."""
    world.own("reviews", _kept_in("us-east", "eu-west", drill={"standby": "small"}), tables)
    _change(world, lambda document: document.update(standbys={"small": {"kind": "process", "room": "1KiB"}}))
    world.runtime.initialize()
    backup(world, "reviews")


def restore_too_slow(world: RunbookWorld) -> None:
    """A dataset of two equal files, which lie in a pack each, with verified copies in two regions."""
    asked = {"objectives": {"rpo": "1h", "rto": PROMISED}, "drill": {"control": None}}
    world.own("reviews", _kept_in("us-east", "eu-west", **asked), lambda live: _noise(live / "2025.parquet"))
    world.names |= {"NEAR": "eu-west"}
    world.runtime.initialize()
    world.runtime.backup("reviews")
    _noise(world.live["reviews"] / "2026.parquet")
    backup(world, "reviews")


def new_region(world: RunbookWorld) -> None:
    """A dataset with a verified copy in one region, and the server of a second one, of which dr.yaml knows nothing."""
    world.own("reviews", _kept_in("us-east"), tables)
    _forget(world, "eu-west")
    _forget(world, NEW)
    world.names |= {"OLD": "us-east"}
    world.runtime.initialize()
    backup(world, "reviews")


def migrate_vault(world: RunbookWorld) -> None:
    """A dataset with a hold and verified copies in two regions, of which a locked one is to move to a new server."""
    world.own("reviews", _kept_in("us-east", "eu-west"), tables)
    _forget(world, NEW)
    _change(world, lambda document: document["regions"]["us-east"].update(lock={"mode": "governance", "days": 1}))
    world.names |= {"OLD": "us-east", "KEPT": "eu-west"}
    world.runtime.initialize()
    backup(world, "reviews")
    world.names |= {"HELD": str(world.runtime.points("reviews")[0]["point"])}
    world.runtime.add_hold("reviews", world.names["HELD"], "audit-7", "asked for by legal until May")


def _kept_in(*regions: str, **others: Any) -> dict[str, Any]:
    return {**TABLES, "regions": list(regions), **others}


def _noise(path: Path) -> None:
    """A table that no codec makes smaller."""
    numbers = np.random.default_rng(int(path.stem)).standard_normal(16_000)
    pq.write_table(pa.table({"stars": numbers}), path)


def _forget(world: RunbookWorld, region: str) -> None:
    """Nothing of the region stands in dr.yaml and in the secrets file; its server runs, and its keys are known."""
    server = world.regions[region]
    _change(world, lambda document: document["regions"].pop(region))
    world.names |= {"NEW": region, "NEW_ACCESS_KEY_ID": server.access_key, "NEW_SECRET_ACCESS_KEY": server.secret_key}
    world.paths |= {f"https://s3.{region}.example.net": server.endpoint}
    secrets = Path(world.names["SECRETS"])
    kept = [line for line in secrets.read_text().splitlines(keepends=True) if server.secret_key not in line]
    secrets.write_text("".join(line for line in kept if server.access_key not in line))


def _change(world: RunbookWorld, change: Callable[[dict[str, Any]], object]) -> None:
    document = yaml.safe_load(world.config.read_text())
    change(document)
    world.config.write_text(yaml.safe_dump(document, sort_keys=False))


WORLDS: dict[str, Callable[[RunbookWorld], None]] = {
    "standby-unavailable": standby_unavailable,
    "restore-too-slow": restore_too_slow,
    "new-region": new_region,
    "migrate-vault": migrate_vault,
}
