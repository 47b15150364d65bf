"""The vaults that the corruption campaign damages: two regions, two points, and every class of object in each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from dr_lib.clock import utc_now
from dr_lib.format import layout
from dr_lib.model.drill import DrillReport, Verdict
from dr_lib.vault.evidence import record_evidence
from tests.keys import keys
from tests.world import ASSET, World, make_world, tree, weights

Tree = dict[str, tuple[Any, ...]]
SICK, SOUND = "one", "two"
"""The region that is damaged, and the one that keeps a sound copy."""


@dataclass(frozen=True)
class Patient:
    """A world, the tree of each of its points, and every object of the sick region as it is right."""

    world: World
    trees: dict[str, Tree]
    objects: dict[str, bytes]

    def put(self, key: str, data: bytes | None) -> None:
        """Make an object of the sick region these bytes, or nothing. Of the same size they rot where they lie: neither
        the time of the last change nor the inode tells."""
        path = self.world.regions[SICK] / key
        if data is None:
            path.unlink(missing_ok=True)
        elif path.exists() and path.stat().st_size == len(data):
            times = path.stat().st_atime_ns, path.stat().st_mtime_ns
            path.write_bytes(data)
            os.utime(path, ns=times)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def recover(self) -> None:
        """Put the sick region back as it was; what came to be since is removed."""
        now = objects_of(self.world.regions[SICK])
        for key in now.keys() | self.objects.keys():
            if now.get(key) != self.objects.get(key):
                self.put(key, self.objects.get(key))


def objects_of(region: Path) -> dict[str, bytes]:
    """Bytes of every object below a region's directory, by key."""
    return {str(path.relative_to(region)): path.read_bytes() for path in sorted(region.rglob("*")) if path.is_file()}


def make_patient(folder: Path, *, sealed: bool) -> Patient:
    """Two points that share packs, verified in both regions, with the evidence of two drills."""
    environ, protection = (keys().all(), keys().config()) if sealed else ({}, {})
    world = make_world(folder, (SICK, SOUND), environ=environ, limits={"shard": "64KiB", "workers": 1}, **protection)
    trees: dict[str, Tree] = {}
    for change in (_first, _second):
        change(world.source)
        point = world.runtime.backup(ASSET)["point"]
        trees[point] = tree(world.source)
        world.runtime.verify(ASSET)
    for hours in (1, 2):
        _leave_evidence(world, hours)
    world.runtime.verify(ASSET)  # what came to be since the last one would be missed by nobody
    return Patient(world, trees, objects_of(world.regions[SICK]))


def _first(source: Path) -> None:
    weights(source / "model.safetensors", seed=1)
    (source / "vocabulary").write_bytes(os.urandom(60_000))
    (source / "text").write_bytes(b"the quick brown fox " * 4_000)
    (source / "empty").mkdir()


def _second(source: Path) -> None:
    (source / "text").write_bytes(b"the lazy dog " * 5_000)
    (source / "more").write_bytes(os.urandom(50_000))


def _leave_evidence(world: World, hours: int) -> None:
    at = utc_now() - timedelta(hours=hours)
    report = DrillReport(
        drill=layout.point_id(at, bytes([hours]) * 4), asset=ASSET, kind="model", scenario="region-lost",
        lost_region=SOUND, lost_how="on purpose", restored_from=SICK, point="", manifest_sha256="", started_at=at,
        disaster_at=at, finished_at=at, rpo_s=1.0, rpo_objective_s=2.0, rto_s=1.0, rto_objective_s=2.0, phases=(),
        bytes_restored=0, files_restored=0, smoke=None, verdict=Verdict.PROVEN, reasons=(), unproven=(), environment={},
    )  # fmt: skip
    for region in (SICK, SOUND):
        record_evidence(world.vault(region), report)
