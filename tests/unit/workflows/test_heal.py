"""Every object of a vault, damaged or gone, is found by a full verification and healed from bytes that are proven."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dr_lib.errors import DrError, Refused, StoreUnavailable
from dr_lib.model.drill import DrillReport, Verdict
from dr_lib.runtime import Runtime
from dr_lib.vault.evidence import record_evidence
from dr_lib.wiring import Wiring
from dr_lib.workflows.heal.remake import Remaker
from tests.faults.dying import DONE, dies_before
from tests.keys import keys
from tests.world import ASSET, World, change, flip, make_world, tree, weights

NEEDED = ("vault.json", "packs", "points", "keys")


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

    def objects(self) -> list[str]:
        root = self.kept / "one"
        found = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
        return [key for key in found if not key.startswith(".")]

    def one_of_each(self) -> list[str]:
        """The first object of each kind; of packs the one that both points need."""
        first = {key.split("/")[0]: key for key in reversed(self.objects())}
        return [*first.values()]


@pytest.fixture(scope="module", params=["sealed", "clear"])
def pristine(request, tmp_path_factory) -> Pristine:
    """Two verified points that share a pack, and evidence of a drill, in both regions."""
    more = {"environ": keys().all(), **keys().config()} if request.param == "sealed" else {}
    world = make_world(tmp_path_factory.mktemp("heal") / "w", **more)
    (world.source / "text").write_bytes(os.urandom(20_000))
    world.runtime.backup(ASSET)
    (world.source / "file").write_bytes(os.urandom(30_000))
    world.runtime.backup(ASSET)
    for name in world.regions:
        record_evidence(world.runtime._wiring.vault(name), report())
    for _ in range(2):  # the first run's own word is in the inventory of the second
        assert world.runtime.verify(ASSET)["ok"]
    kept = tmp_path_factory.mktemp("kept")
    for name, path in world.regions.items():
        shutil.copytree(path, kept / name)
    return Pristine(world, kept)


def report() -> DrillReport:
    """A drill that was."""
    at = datetime(2026, 11, 23, 18, tzinfo=UTC)
    facts = {field.name: None for field in fields(DrillReport)}
    told = {"drill": "20261123T180000000000Z-0a1b2c3d", "asset": ASSET, "kind": "model", "scenario": "region-lost"}
    return DrillReport(**facts | told | {"finished_at": at, "disaster_at": at, "verdict": Verdict.PROVEN})


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


def exit_code(work: Callable[[], dict[str, Any]]) -> int:
    try:
        return 0 if work()["ok"] else 4
    except DrError as error:
        return error.exit_code


def test_every_kind_of_object_damaged_in_every_way_is_found_healed_and_restores(pristine: Pristine):
    world, tried = pristine.world, 0
    for key in pristine.one_of_each():
        for what, damage in damages(pristine, key):
            pristine.again()
            damage(world.regions["one"] / key)
            assert exit_code(lambda: world.runtime.verify(ASSET, region="one")) == 4, (key, what)
            assert exit_code(lambda: world.runtime.heal(region="one")) == 0, (key, what)
            assert world.runtime.verify(ASSET, region="one")["ok"], (key, what)
            tried += 1
            if key.split("/")[0] in NEEDED:
                whole_again(pristine, world, key, what)
    assert tried > 50


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
    done = world.runtime.heal(region="one")
    assert (done["healed"], done["unhealed"], done["given_up"], done["ok"]) == ([], [], [], True)
    assert world.runtime.verify(ASSET)["ok"]


def test_what_was_damaged_is_kept_aside_as_it_was(pristine: Pristine):
    world = pristine.again()
    pack = world.packs("one")[0]
    change(pack, flip)
    bad = pack.read_bytes()
    world.runtime.verify(ASSET, region="one")
    done = world.runtime.heal(region="one")
    assert [(one["was"], one["from"]) for one in done["healed"]] == [("damaged", "region two")]
    [aside] = [path for path in (world.regions["one"] / "damaged").rglob("*") if path.is_file()]
    assert aside.read_bytes() == bad
    assert str(aside).endswith(f"/packs/{pack.parent.name}/{pack.name}")


def test_a_point_that_vanished_comes_back(pristine: Pristine):
    world = pristine.again()
    for path in world.manifests("one"):
        path.unlink()
    done = world.runtime.heal(region="one")
    assert [one["was"] for one in done["healed"]] == ["missing", "missing"]
    assert done["ok"]
    assert world.runtime.points(ASSET)[0]["copies"] == {"one": "verified", "two": "verified"}


@pytest.fixture
def _no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Remaker, "__call__", lambda *_: None)


@pytest.mark.usefixtures("_no_source")
def test_what_is_whole_nowhere_is_said_and_nothing_is_put_in_its_place(pristine: Pristine):
    world = pristine.again()
    packs = world.packs("one")[0], world.regions["two"] / world.packs("one")[0].relative_to(world.regions["one"])
    for path in packs:
        change(path, flip)
    bad = packs[0].read_bytes()
    world.runtime.verify(ASSET, region="one")
    done = world.runtime.heal(region="one")
    assert not done["ok"]
    assert [one["key"].rpartition("/")[2] for one in done["unhealed"]] == [packs[0].name]
    assert packs[0].read_bytes() == bad
    assert world.runtime.points(ASSET)[0]["copies"]["one"] == "damaged"


@pytest.mark.usefixtures("_no_source")
def test_a_region_that_may_have_it_and_does_not_answer_is_worth_another_try(pristine: Pristine):
    world = pristine.again()
    world.packs("one")[0].unlink()
    config = json.loads(world.config().read_text())
    config["regions"]["two"] = {"url": "s3://bucket", "endpoint": "http://127.0.0.1:9", "credentials": "env:NO"}
    other = world.folder / "other.yaml"
    other.write_text(json.dumps(config))
    environ = {"NO_ACCESS_KEY_ID": "a", "NO_SECRET_ACCESS_KEY": "b", **keys().all()}
    with pytest.raises(StoreUnavailable):
        Runtime.load(other, environ=environ).heal(region="one")


def test_without_a_janitor_what_is_gone_comes_back_and_what_is_damaged_is_refused(pristine: Pristine, monkeypatch):
    def refuse(self: Wiring, region: str, *_: object) -> None:
        raise Refused("no janitor is known", where=region)

    monkeypatch.setattr(Wiring, "janitor", refuse)
    world = pristine.again()
    largest, other, *_ = world.packs("one")
    largest.unlink()
    assert world.runtime.heal(region="one")["ok"]
    change(other, flip)
    world.runtime.verify(ASSET, region="one")
    with pytest.raises(Refused, match="no janitor is known"):
        world.runtime.heal(region="one")


def test_killed_anywhere_it_can_be_run_again(pristine: Pristine):
    world = pristine.again()
    pack, other, *_ = world.packs("one")
    for step in count(1):
        pristine.again()
        change(pack, flip)
        other.unlink()
        change(world.manifests("one")[0], lambda data: data[:-1])
        world.runtime.verify(ASSET, region="one", mode="structure")
        world.runtime.verify(ASSET, region="one")
        outcome = dies_before(step, lambda: world.runtime.heal(region="one"))
        if outcome == DONE:
            assert step > 20
            break
        assert world.runtime.heal(region="one")["ok"], step
        assert world.runtime.verify(ASSET, region="one")["ok"], step


def test_a_pack_that_is_whole_nowhere_is_made_anew_from_the_source_that_still_has_its_bytes(tmp_path: Path):
    world = make_world(tmp_path / "w", environ=keys().all(), **keys().config())
    weights(world.source / "model.safetensors", seed=3)
    (world.source / "text").write_bytes(b"compressible " * 3_000)
    world.runtime.backup(ASSET)
    pack = world.packs("one")[0]
    whole = pack.read_bytes()
    for region in world.regions.values():
        (region / pack.relative_to(world.regions["one"])).unlink()
    done = world.runtime.heal(region="one")
    assert [(one["was"], one["from"]) for one in done["healed"]] == [("missing", "the source")]
    assert done["ok"]
    assert pack.read_bytes() == whole


def test_a_source_that_has_other_bytes_by_now_heals_nothing(tmp_path: Path):
    world = make_world(tmp_path / "w")
    (world.source / "file").write_bytes(os.urandom(5_000))
    world.runtime.backup(ASSET)
    (world.source / "file").write_bytes(os.urandom(5_000))
    for name in world.regions:
        world.packs(name)[0].unlink()
    done = world.runtime.heal(region="one")
    assert (done["ok"], done["healed"]) == (False, [])
    assert "no other region, older version or source has it whole" in done["unhealed"][0]["why"]
