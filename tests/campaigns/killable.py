"""The commands that the crash campaign kills: one row each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event

from tests.campaigns.scenes import FIRST, GRACE_S, KEPT, SECOND, Scene
from tests.world import ASSET, tree


@dataclass(frozen=True, slots=True)
class Command:
    """`prepare` makes something to do for `drctl ARGUMENTS`; `problems` tells what is wrong when it has ended well.

    `done` says that a killed command had nothing left to do, so that it may be refused when it is given again.
    """

    name: str
    prepare: Callable[[Scene], None]
    arguments: Callable[[Scene], tuple[str, ...]]
    problems: Callable[[Scene], Iterator[str]]
    done: Callable[[Scene], bool] = lambda _: False


def _nothing_to_say(_: Scene) -> Iterator[str]:
    yield from ()


def _prepare_replication(scene: Scene) -> None:
    scene.change_source()
    scene.runtime.backup(ASSET, [FIRST])


def _everywhere(scene: Scene) -> Iterator[str]:
    point = scene.newest()
    for region in (FIRST, SECOND):
        if (region, point) not in scene.points():
            yield f"{point} is not in {region}"


def _prepare_restore(scene: Scene) -> None:
    shutil.rmtree(scene.target, ignore_errors=True)
    for left in scene.folder.glob(f".{scene.target.name}.*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    if not scene.points():
        scene.runtime.backup(ASSET)


def _restored(scene: Scene) -> Iterator[str]:
    if not scene.target.exists() or tree(scene.target) != tree(scene.source):
        yield "the restored tree is not the source's"
    left = [path.name for path in scene.folder.glob(f".{scene.target.name}.*")]
    if left:
        yield f"the restore left {', '.join(left)}"


def _prepare_healing(scene: Scene) -> None:
    """Damage a pack and the newest manifest of the first region, and take another pack away, as its janitor can."""
    _prepare_restore(scene)
    scene.damaged = FIRST
    janitor = scene.runtime._wiring.janitor(FIRST)
    damaged, gone = scene.chance.sample(list(janitor.list("packs/")), 2)
    janitor.replace(damaged.key, scene.chance.randbytes(damaged.size), damaged.tag)
    for version in list(janitor.versions(gone.key)):
        janitor.delete(version.key, version.version)
    manifest = list(janitor.list("points/"))[-1]
    janitor.replace(manifest.key, b"not a manifest", manifest.tag)
    scene.runtime.verify(ASSET, region=FIRST)  # healing goes by what verification found


def _healed(scene: Scene) -> Iterator[str]:
    scene.damaged = None
    if not scene.runtime.verify(ASSET, region=FIRST)["ok"]:
        yield "the region is not whole after it was healed"


def _prepare_prune(scene: Scene) -> None:
    """Points enough that some may go, and a plan that has stood its time for the oldest of them."""
    while len({point for _, point in scene.points()}) <= KEPT + 1:
        scene.change_source()
        scene.runtime.backup(ASSET)
        list(scene.losses())
    scene.runtime.verify(ASSET)
    scene.expendable |= set(sorted({point for _, point in scene.points()})[:-KEPT])
    scene.runtime.prune(ASSET, apply=True)
    Event().wait(GRACE_S + 0.2)


def _pruned(scene: Scene) -> Iterator[str]:
    left = {point for _, point in scene.points()}
    if len(left) < KEPT:
        yield f"only {len(left)} points are left where {KEPT} are kept"


COMMANDS = (
    Command("backup", Scene.change_source, lambda _: ("backup", ASSET), _everywhere),
    Command("replicate", _prepare_replication, lambda _: ("replicate", ASSET), _everywhere),
    Command(
        "restore",
        _prepare_restore,
        lambda scene: ("restore", ASSET, "--to", str(scene.target), "--point", scene.newest()),
        _restored,
        done=lambda scene: scene.target.exists(),
    ),
    Command("heal", _prepare_healing, lambda _: ("heal", ASSET, "--region", FIRST), _healed),
    Command("prune", _prepare_prune, lambda _: ("prune", ASSET, "--apply"), _pruned),
    Command("verify", _prepare_restore, lambda _: ("verify", ASSET), _nothing_to_say),
)
