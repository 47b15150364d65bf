"""The commands that the crash campaign kills: one row each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.campaigns.scenes import FIRST, SECOND, Scene
from tests.world import ASSET, flip, tree


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


def _fall_sick(scene: Scene) -> None:
    """One pack of the second region rots, another is gone, and a verification has found it."""
    scene.change_source()
    scene.runtime.backup(ASSET)
    janitor = scene.runtime._wiring.janitor(SECOND)
    rotten, gone = list(janitor.list("packs/"))[:2]
    janitor.replace(rotten.key, flip(janitor.get(rotten.key)), rotten.tag)
    janitor.delete(gone.key, next(janitor.versions(gone.key)).version)
    scene.runtime.verify(ASSET, region=SECOND)
    scene.sick = SECOND


def _healthy(scene: Scene) -> Iterator[str]:
    scene.sick = ""
    if not scene.runtime.verify(ASSET, region=SECOND)["ok"]:
        yield f"{SECOND} is damaged after it was healed"


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
    Command("heal", _fall_sick, lambda _: ("heal", "--region", SECOND), _healthy),
    Command("verify", _prepare_restore, lambda _: ("verify", ASSET), _nothing_to_say),
)
