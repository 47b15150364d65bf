"""A small world whose clock goes as the test says: what was stored is as old as the clock has gone on since."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dr_lib.runtime import Runtime
from dr_lib.storage.local import LocalStore
from tests.world import ASSET, World, make_world

GRACE = timedelta(hours=72)
LATER = GRACE + timedelta(hours=1)


@dataclass
class Time:
    """The moment it is, for runtimes and for the stores of this process, whose own clock is the real one."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead  # noqa: TID251 - a test's clock stands beside the real one

    def passes(self, length: timedelta) -> None:
        self.ahead += length


def pruned_world(folder: Path, time: Time, names: tuple[str, ...] = ("one",), **more: Any) -> World:
    """A world with a policy that keeps one point, two settled files, and runtimes on `time`."""
    retention = {"hourly": 0, "daily": 0, "weekly": 0, "monthly": 0, "last": 1, "keep_within": None}
    asset = {"kind": "dataset", "gates": "none", "retention": retention} | more.pop("asset", {})
    world = make_world(folder, names, asset=asset, **more)
    return replace(world, runtime=runtime_at(world, time, more.get("environ")))


def runtime_at(world: World, time: Time, environ: dict[str, str] | None = None) -> Runtime:
    return Runtime.load(world.config(), environ=environ or {}, clock=time)


def verified(world: World, *regions: str) -> str:
    """Back up and verify; the point."""
    point = str(world.runtime.backup(ASSET, list(regions) or None)["point"])
    assert all(r["ok"] for r in world.runtime.verify(ASSET, point)["results"])
    return point


def committed(world: World, region: str = "one") -> list[str]:
    return [path.stem for path in world.manifests(region)]


def objects(world: World, region: str = "one", kind: str = "") -> set[str]:
    """Keys in a region, but for events, which stay."""
    root = world.regions[region]
    keys = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    return {key for key in keys if key.startswith(kind) and not key.startswith(("events/", ".dr-incoming"))}


def all_whole(world: World) -> None:
    """Every committed point has every pack and decodes."""
    results = world.runtime.verify(ASSET)["results"]
    assert results
    assert [r["findings"] for r in results] == [[]] * len(results)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """A clock by which files in stores are dated as well."""
    now = Time()
    create = LocalStore.create

    def created(store: LocalStore, key: str, data: bytes) -> None:
        create(store, key, data)
        moment = now().timestamp()
        os.utime(store.root / key, (moment, moment))

    monkeypatch.setattr(LocalStore, "create", created)
    return now
