"""Every object of a vault, damaged or gone, is found by a full verification, healed from proven bytes, and set aside."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.keys import keys
from tests.world import ASSET, World, change, flip, make_world, tree

CLASSES = ("vault.json", "packs", "points", "keys", "index", "runs", "events", "evidence")
NEEDED = ("vault.json", "packs", "points", "keys")
NEWEST = "the newest word of a verification"


@dataclass
class Pristine:
    """A world of two regions, as it was before anything happened to it."""

    world: World
    kept: Path

    def again(self) -> World:
        for name, path in self.world.regions.items():
            shutil.rmtree(path, ignore_errors=True)
            shutil.copytree(self.kept / name, path)
        return self.world

    def objects(self, region: str = "one") -> list[str]:
        root = self.kept / region
        found = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
        return [key for key in found if not key.startswith(".")]


@pytest.fixture(scope="module", params=["sealed", "clear"])
def pristine(request, tmp_path_factory) -> Pristine:
    """Two verified points that share a pack; the first one's evidence of a drill is in both regions."""
    more = {"environ": keys().all(), **keys().config()} if request.param == "sealed" else {}
    world = make_world(tmp_path_factory.mktemp("heal") / "w", **more)
    (world.source / "text").write_bytes(os.urandom(20_000))
    world.runtime.backup(ASSET)
    (world.source / "file").write_bytes(os.urandom(30_000))
    world.runtime.backup(ASSET)
    assert world.runtime.verify(ASSET)["ok"]
    kept = tmp_path_factory.mktemp("kept")
    for name, path in world.regions.items():
        shutil.copytree(path, kept / name)
    return Pristine(world, kept)


def sibling(pristine: Pristine, key: str) -> Path | None:
    """Another object of the same kind."""
    others = [one for one in pristine.objects() if one.split("/")[0] == key.split("/", maxsplit=1)[0] and one != key]
    return pristine.kept / "one" / others[0] if others else None


def damages(pristine: Pristine, key: str) -> Iterator[tuple[str, Callable[[Path], None]]]:
    size = (pristine.kept / "one" / key).stat().st_size
    for at in sorted({0, size // 3, size // 2, size * 2 // 3, size - 1}):
        yield f"bit at {at}", lambda path, at=at: change(path, lambda data: flip(data, at))
    yield "cut", lambda path: change(path, lambda data: data[:-1])
    yield "empty", lambda path: change(path, lambda _: b"")
    yield "gone", Path.unlink
    if (other := sibling(pristine, key)) is not None:
        yield "swapped", lambda path: change(path, lambda _: other.read_bytes())


def exit_code(world: World, work: Callable[[], dict]) -> int:
    from dr_lib.errors import DrError

    try:
        return 0 if work()["ok"] else 4
    except DrError as error:
        return error.exit_code


def newest_scrub(pristine: Pristine) -> str:
    return [key for key in pristine.objects() if "-scrub-" in key][-1]


def test_every_object_damaged_in_every_way_is_found_healed_and_restores(pristine: Pristine):
    count = 0
    for key in pristine.objects():
        for what, damage in damages(pristine, key):
            if (what, key) == ("gone", newest_scrub(pristine)):
                continue  # the last word cannot be told from one that was never said
            world = pristine.again()
            damage(world.regions["one"] / key)
            found = exit_code(world, lambda w=world: w.runtime.verify(ASSET, region="one"))
            assert found == 4, (key, what)
            healed = exit_code(world, lambda w=world: w.runtime.heal("one"))
            assert healed == 0, (key, what)
            assert world.runtime.verify(ASSET, region="one")["ok"], (key, what)
            count += 1
            if key.split("/")[0] in NEEDED:
                whole_again(pristine, world, key, what)
    assert count > 100


def whole_again(pristine: Pristine, world: World, key: str, what: str) -> None:
    if key != "vault.json":
        assert (world.regions["one"] / key).read_bytes() == (pristine.kept / "one" / key).read_bytes(), (key, what)
    target = world.folder / "restored"
    world.runtime.restore(ASSET, str(target), region="one")
    assert tree(target) == tree(world.source), (key, what)
    shutil.rmtree(target)


def test_an_untouched_vault_gives_no_alarm_and_nothing_to_heal(pristine: Pristine):
    world = pristine.again()
    for mode in ("structure", "sample", "full", "full"):
        assert world.runtime.verify(ASSET, mode=mode)["ok"], mode
    done = world.runtime.heal("one")
    assert (done["healed"], done["unhealed"], done["given_up"], done["ok"]) == ([], [], [], True)
    assert world.runtime.verify(ASSET)["ok"]
