"""What a run of verification costs, what it leaves behind, and what it notices by what others left."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.many_points import fill
from dr_lib.clock import utc_now
from dr_lib.errors import PermissionDenied, UsageError
from dr_lib.progress import SILENT
from dr_lib.runtime import Runtime
from dr_lib.storage.counting import CountingStore
from dr_lib.storage.memory import MemoryStore
from dr_lib.vault.opening import create_vault
from dr_lib.vault.summary_cache import SummaryCache, cache_of
from dr_lib.vault.vault import Vault
from dr_lib.workflows.verify.verify import Asked, Mode, verify
from tests.keys import keys
from tests.world import ASSET, World, change, flip, make_world, tree


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w", environ={"DR_CACHE_DIR": str(tmp_path / "cache")})
    (world.source / "file").write_bytes(os.urandom(30_000))
    world.runtime.backup(ASSET)
    return world


def sealed(tmp_path: Path) -> World:
    world = make_world(tmp_path / "sealed", environ=keys().all(), **keys().config())
    (world.source / "file").write_bytes(os.urandom(30_000))
    world.runtime.backup(ASSET)
    return world


def events(world: World, kind: str, region: str = "one") -> list[Path]:
    return sorted((world.regions[region] / "events").rglob(f"*-{kind}-*.json"))


def requests(count: int, cache: SummaryCache) -> Counter[str]:
    """What the second look at the structure of that many points asks of the store."""
    store = MemoryStore("region one")
    fill(create_vault("one", store, {}), ASSET, count)
    verify(Vault("one", store), ASSET, Asked(Mode.STRUCTURE), SILENT, utc_now, cache)
    counting = CountingStore(store)
    assert verify(Vault("one", counting), ASSET, Asked(Mode.STRUCTURE), SILENT, utc_now, cache).ok
    return counting.calls


def test_the_structure_of_many_points_costs_what_that_of_few_does(tmp_path: Path):
    few = requests(3, cache_of(tmp_path, "few"))
    assert requests(300, cache_of(tmp_path, "many")) == few
    assert few == {"list": 4, "get": 1, "create": 1}


def test_sound_structure_is_one_event_a_run_and_damage_one_for_each_point(world: World):
    world.runtime.verify(ASSET, region="one", mode="structure")
    world.runtime.verify(ASSET, region="one", mode="sample")
    assert (len(events(world, "scrub")), len(events(world, "verification"))) == (2, 0)
    (world.source / "more").write_bytes(b"more")
    world.runtime.backup(ASSET)
    next(path for path in world.packs("one") if path.stat().st_size > 20_000).unlink()
    world.runtime.verify(ASSET, region="one", mode="structure")
    assert (len(events(world, "scrub")), len(events(world, "verification"))) == (3, 2)


@pytest.mark.parametrize("mode", ["structure", "sample", "full"])
def test_a_point_whose_manifest_vanished_is_missed(world: World, mode: str):
    world.runtime.verify(ASSET, mode="structure")
    world.manifests("one")[0].unlink()
    found = world.runtime.verify(ASSET, mode=mode)
    assert [(r["region"], r["ok"]) for r in found["results"]] == [("one", False), ("two", True)]
    assert not found["ok"]


def test_a_pack_that_the_list_does_not_show_yet_is_no_damage(world: World, monkeypatch):
    from dr_lib.storage.local import LocalStore

    listing = LocalStore.list
    late = world.packs("one")[0].name
    monkeypatch.setattr(
        LocalStore, "list", lambda store, prefix="": (i for i in listing(store, prefix) if not i.key.endswith(late))
    )
    assert world.runtime.verify(ASSET, region="one", mode="structure")["ok"]


def test_a_changed_manifest_is_read_again_whatever_the_cache_says(world: World):
    world.runtime.verify(ASSET, region="one", mode="structure")
    change(world.manifests("one")[0], lambda data: flip(data, 100))
    assert not world.runtime.verify(ASSET, region="one", mode="structure")["ok"]


@pytest.mark.parametrize(
    "damage", [lambda _: b"", lambda data: data[:-1], lambda data: flip(data, 60), lambda _: b"DRSUMS\x00\x01" * 9]
)
def test_a_damaged_cache_costs_only_the_reading(world: World, damage):
    world.runtime.verify(ASSET, region="one", mode="structure")
    [file] = (world.folder.parent / "cache").iterdir()
    change(file, damage)
    assert world.runtime.verify(ASSET, region="one", mode="structure")["ok"]


def test_a_forged_cache_is_not_believed(world: World):
    cache = cache_of(world.folder, "x")
    vault = create_vault("one", MemoryStore(), {})
    fill(vault, ASSET, 2)
    verify(vault, ASSET, Asked(Mode.STRUCTURE), SILENT, utc_now, cache)
    first, second = vault.store.list("points/")
    other = cache.find(second)
    assert other is not None
    cache.save({first.key: replace(other, size=first.size, tag=first.tag)})
    assert verify(vault, ASSET, Asked(Mode.STRUCTURE), SILENT, utc_now, cache).ok
    cache.path.chmod(0o666)
    cache.load()
    assert cache.names() == frozenset()


def test_samples_read_everything_without_any_key_that_reads(tmp_path: Path):
    world = sealed(tmp_path)
    keyless = Runtime.load(world.config(), environ={"DR_SIGNING_KEY": keys().signer})
    with pytest.raises(PermissionDenied):
        keyless.verify(ASSET, region="one")
    found = keyless.verify(ASSET, region="one", mode="sample", percent=100)
    [run] = found["runs"]
    assert run["ok"]
    assert run["bytes_read"] == run["coverage"]["total_bytes"] == run["coverage"]["read_bytes"] > 30_000
    for path in [*world.packs("one"), *world.manifests("one"), *(world.regions["one"] / "keys").rglob("*.age")]:
        whole = path.read_bytes()
        change(path, lambda data: flip(data, -40))
        assert not keyless.verify(ASSET, region="one", mode="sample", percent=100)["ok"], path
        change(path, lambda _, whole=whole: whole)


def test_samples_go_round_and_the_status_says_how_long_bytes_wait(world: World):
    later = Runtime.load(world.config(), environ={}, clock=lambda: utc_now() + timedelta(days=40))
    assert later.verify(ASSET, region="one", mode="structure")["runs"][0]["coverage"]["overdue"]
    standing = later.status()["assets"][0]
    assert "nobody has read for 40.0 days" in " ".join(standing["problems"])
    count = 0
    while later.verify(ASSET, region="one", mode="sample", percent=1)["runs"][0]["coverage"]["overdue"]:
        count += 1
        assert count < 10
    assert "nobody has read" not in " ".join(later.status()["assets"][0]["problems"])
    assert later.status()["assets"][0]["reading"]["one"]["oldest_s"] < 3600


@pytest.mark.parametrize(("mode", "percent"), [("full", 5), ("sample", 0), ("sample", 101)])
def test_a_percentage_that_means_nothing_is_refused(world: World, mode: str, percent: float):
    with pytest.raises(UsageError, match=r"--mode sample|percentage"):
        world.runtime.verify(ASSET, mode=mode, percent=percent)


@pytest.mark.parametrize("damage", [flip, lambda data: data[:-1]])
def test_a_backup_rests_on_no_pack_that_is_known_to_be_damaged(world: World, damage):
    world.runtime.verify(ASSET)
    change(world.packs("one")[0], damage)
    assert not world.runtime.verify(ASSET, region="one")["ok"]
    (world.source / "more").write_bytes(b"more")
    point = world.runtime.backup(ASSET)["point"]
    found = world.runtime.verify(ASSET, point=point, region="one")["results"]
    assert [r["ok"] for r in found] == [True]
    world.runtime.restore(ASSET, str(world.folder / "out"), point=point, region="one")
    assert tree(world.folder / "out") == tree(world.source)


def test_a_vault_without_its_own_record_is_damaged_and_the_restore_says_which(world: World):
    (world.regions["one"] / "vault.json").unlink()
    done = world.runtime.restore(ASSET, str(world.folder / "out"))
    assert done["region"] == "two"
    assert "the vault's own record is gone" in done["repairs"][0]
    assert tree(world.folder / "out") == tree(world.source)


def test_vaults_of_the_first_writers_have_no_check_and_open(world: World):
    path = world.regions["one"] / "vault.json"
    facts = json.loads(path.read_bytes())
    del facts["check"]
    change(path, lambda _: json.dumps(facts, sort_keys=True, separators=(",", ":")).encode())
    assert world.runtime.verify(ASSET, region="one")["ok"]
