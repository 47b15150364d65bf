"""Where commands are killed: two sealed regions on one real server, an asset of a few packs, and a memory of every
point that was ever seen committed."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.errors import DrError
from dr_lib.runtime import Runtime
from tests.conftest import environment_of, fresh_name
from tests.keys import keys
from tests.world import ASSET, tree

FIRST, SECOND = "one", "two"
REGIONS = (FIRST, SECOND)
PREFIX = "DR_TEST"
FILE_BYTES = 400_000
KEPT = 2
"""Points that retention keeps."""
GRACE_S = 1
Tree = dict[str, tuple[Any, ...]]


@dataclass
class Scene:
    """`trees` are the trees of the points that were seen, `committed` where each of them was seen."""

    folder: Path
    server: SeaweedRegion
    chance: random.Random
    runtime: Runtime
    environ: dict[str, str]
    trees: dict[str, Tree] = field(default_factory=dict)
    committed: set[tuple[str, str]] = field(default_factory=set)
    expendable: set[str] = field(default_factory=set)
    """Points that retention may let go."""
    damaged: str | None = None
    """The region whose objects were damaged on purpose and not healed yet: it need not give what it cannot."""

    @property
    def source(self) -> Path:
        """The live tree."""
        return self.folder / "source"

    @property
    def target(self) -> Path:
        """Where the command that is killed restores to."""
        return self.folder / "restored by the command"

    def change_source(self) -> None:
        """Write one file anew: what the next backup has to store."""
        (self.source / f"file {self.chance.randrange(4)}").write_bytes(self.chance.randbytes(FILE_BYTES))
        settle(self.source)

    def points(self) -> set[tuple[str, str]]:
        """Region and id of every point that is committed now."""
        found = {(name, self.runtime._wiring.vault(name)) for name in REGIONS}
        return {(name, point.point) for name, vault in found for point in vault.points(ASSET)}

    def newest(self) -> str:
        """Id of the newest point."""
        return max(point for _, point in self.points())

    def losses(self) -> Iterator[str]:
        """What became of a point that must not have: gone, or another tree than that of its moment. Restores every
        point from every region that has it."""
        now = self.points()
        for region, point in sorted(self.committed - now):
            if point not in self.expendable:
                yield f"{point} is gone from {region}"
        self.committed = now
        for region, point in sorted(now):
            right = self.trees.setdefault(point, tree(self.source))
            yield from self._wrongly_restored(region, point, right)

    def _wrongly_restored(self, region: str, point: str, right: Tree) -> Iterator[str]:
        target = self.folder / "restored to look"
        try:
            self.runtime.restore(ASSET, str(target), point=point, region=region)
            if tree(target) != right:
                yield f"{point} came back wrong from {region}"
        except DrError as error:
            if region != self.damaged:
                yield f"{point} did not come back from {region}: {error}"
        shutil.rmtree(target, ignore_errors=True)


def make_scene(folder: Path, server: SeaweedRegion, chance: random.Random) -> Scene:
    """Two empty vaults in fresh buckets, and a source of four files that no point has yet."""
    source = folder / "source"
    source.mkdir(parents=True)
    opened = {"credentials": {"writer": f"env:{PREFIX}", "janitor": f"env:{PREFIX}"}}
    regions = {n: {"url": f"s3://{fresh_name()}", "endpoint": server.endpoint} | opened for n in REGIONS}
    retention = {"hourly": 0, "daily": 0, "weekly": 0, "monthly": 0, "last": KEPT, "keep_within": None}
    asset = {"kind": "model", "source": str(source), "regions": list(REGIONS), "retention": retention}
    more = {"limits": {"shard": "512KiB", "workers": 2}, "prune": {"grace": f"{GRACE_S}s"}} | keys().config()
    config = {"regions": regions, "assets": {ASSET: asset}} | more
    (folder / "dr.yaml").write_text(json.dumps(config))
    environ = environment_of(server, PREFIX) | keys().all()
    runtime = Runtime.load(folder / "dr.yaml", environ=environ)
    runtime.initialize()
    scene = Scene(folder, server, chance, runtime, environ)
    for number in range(4):
        (source / f"file {number}").write_bytes(chance.randbytes(FILE_BYTES))
    settle(source)
    return scene


def settle(source: Path) -> None:
    """Let the files be as old as those of a model that lies there: fresh ones would be read again by every backup."""
    for path in source.iterdir():
        before = path.stat().st_mtime_ns
        os.utime(path, ns=(before, before - 10_000_000_000))
