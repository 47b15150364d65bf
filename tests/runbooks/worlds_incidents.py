"""Worlds of runbooks in which somebody did something: deleted, encrypted, took a key, or only raised an alarm."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tests.runbooks.world_parts import TABLES, backup, bucket_of, tables

if TYPE_CHECKING:
    from tests.runbooks.runbook_world import RunbookWorld

TWO_REGIONS = {**TABLES, "regions": ["us-east", "eu-west"]}


def _delete_live(world: RunbookWorld, asset: str) -> None:
    shutil.rmtree(world.live[asset])


def _delete_points(world: RunbookWorld, asset: str, region: str) -> None:
    _delete_all(world, region, f"points/{asset}/")


def _delete_vault(world: RunbookWorld, region: str) -> None:
    """As `aws s3 rm --recursive`; where versions are kept it leaves delete markers."""
    _delete_all(world, region, "")


def _delete_all(world: RunbookWorld, region: str, prefix: str) -> None:
    s3, bucket = bucket_of(world, region)
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
        s3.delete_object(Bucket=bucket, Key=entry["Key"])


def _new_credentials(world: RunbookWorld, region: str) -> None:
    """Its server knows the new ones alone."""
    server = world.regions[region]
    server.stop()
    server.access_key, server.secret_key = world.names["NEW_ACCESS_KEY_ID"], world.names["NEW_SECRET_ACCESS_KEY"]
    server.start()


def _lose_catalog(world: RunbookWorld) -> None:
    for path in _catalog(world).parent.glob("catalog.sqlite*"):
        path.unlink()


def _damage_catalog(world: RunbookWorld) -> None:
    _lose_catalog(world)
    _catalog(world).write_bytes(os.urandom(4096))


def _catalog(world: RunbookWorld) -> Path:
    return world.folder / ".dr-state" / "catalog.sqlite"


def _freshness(world: RunbookWorld) -> None:
    """What the DAG `dr_freshness` does every few minutes."""
    world.runtime.refresh_catalog()
    world.runtime.alarm_assets()


EVENTS: dict[str, Callable[..., None]] = {
    r"the live (?P<asset>\w+) is deleted": _delete_live,
    r"the points of (?P<asset>\w+) in (?P<region>[a-z-]+) are deleted": _delete_points,
    r"everything in (?P<region>[a-z-]+) is deleted": _delete_vault,
    r"(?P<region>[a-z-]+) gets new credentials": _new_credentials,
    r"the catalog is lost": _lose_catalog,
    r"the catalog is damaged": _damage_catalog,
    r"dr_freshness looks": _freshness,
}


def accidental_delete(world: RunbookWorld) -> None:
    """A dataset with verified copies in three regions, of which one keeps versions under a lock."""
    world.own("reviews", TABLES, tables)
    world.names |= {"LIVE": str(world.live["reviews"]), "GONE": "us-east", "BURIED": "ap-south"}
    world.runtime.initialize()
    backup(world, "reviews")


def ransomware(world: RunbookWorld) -> None:
    """A dataset with verified copies in two regions."""
    world.own("reviews", TWO_REGIONS, tables)
    world.names |= {"LIVE": str(world.live["reviews"])}
    world.runtime.initialize()
    backup(world, "reviews")


def key_leaked(world: RunbookWorld) -> None:
    """A dataset with verified copies in two regions without a lock."""
    world.own("reviews", TWO_REGIONS, tables)
    world.names |= {"NEW_ACCESS_KEY_ID": "us-east-key-2", "NEW_SECRET_ACCESS_KEY": "us-east-secret-2"}
    world.runtime.initialize()
    backup(world, "reviews")


def catalog_lost(world: RunbookWorld) -> None:
    """A dataset with verified copies in two regions and a drill that proved them, and a catalog that saw all of it."""
    world.own("reviews", TWO_REGIONS, tables)
    world.names |= {"CATALOG": str(_catalog(world))}
    world.runtime.initialize()
    backup(world, "reviews")
    world.runtime.drill("reviews")
    _freshness(world)


def false_alarm(world: RunbookWorld) -> None:
    """The same: nothing is wrong with it."""
    catalog_lost(world)


def quarterly_drill(world: RunbookWorld) -> None:
    """A dataset with verified copies in two regions; in one of them drills may damage."""
    plan = {"drill": {"scenarios": ["region-lost", "pack-damaged"]}}
    world.own("reviews", {**TWO_REGIONS, **plan}, tables)
    document = yaml.safe_load(world.config.read_text())
    document["regions"]["us-east"]["rehearsal"] = {"damage": True}
    world.config.write_text(yaml.safe_dump(document, sort_keys=False))
    world.runtime.initialize()
    backup(world, "reviews")


WORLDS: dict[str, Callable[[RunbookWorld], None]] = {
    "accidental-delete": accidental_delete,
    "ransomware": ransomware,
    "key-leaked": key_leaked,
    "catalog-lost": catalog_lost,
    "false-alarm": false_alarm,
    "quarterly-drill": quarterly_drill,
}
