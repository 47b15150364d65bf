"""A store that acknowledges and forgets, lists what is old, or whose clock is hours off: no point shows that is not
whole, and nothing is called lost that is there."""

from datetime import timedelta
from pathlib import Path

import pytest

from dr_lib.errors import IntegrityError, NotFound, StoreUnavailable
from dr_lib.storage.memory import MemoryStore
from dr_lib.storage.missing import ContainerMissing
from dr_lib.testing import faults
from dr_lib.testing.faulty_store import FaultyStore
from dr_lib.testing.schedules import always, nth
from dr_lib.vault.acknowledged import refuse_forgotten
from tests.properties.vault_world import VaultWorld

ASSET, HOME, AWAY = "left", "one", "two"


@pytest.fixture
def world(tmp_path: Path) -> VaultWorld:
    return VaultWorld(tmp_path)


def whole(world: VaultWorld) -> int:
    """The number of points that show, each of which holds what its source held."""
    for region, asset, point in world.committed():
        assert world.content(region, asset, point) == world.files(asset)
    return len(world.committed())


@pytest.mark.parametrize("prefix", ["packs/", "keys/", "points/"])
def test_what_a_point_needs_is_not_taken_on_trust(world: VaultWorld, prefix: str):
    with pytest.raises(IntegrityError, match="that it acknowledged"):
        world.process_over(faults.forgotten(prefix=prefix, when=always)).backup(ASSET, [HOME])
    assert whole(world) == 0
    world.process().backup(ASSET, [HOME])
    with pytest.raises(IntegrityError, match="that it acknowledged"):
        world.process_over(faults.forgotten(prefix=prefix, when=always)).replicate(ASSET)
    assert whole(world) == 1
    world.process().replicate(ASSET)
    assert whole(world) == 2


@pytest.mark.parametrize("prefix", ["runs/", "index/"])
def test_working_memory_may_be_forgotten(world: VaultWorld, prefix: str):
    world.process_over(faults.forgotten(prefix=prefix, when=always)).backup(ASSET)
    world.process().backup(ASSET)
    assert whole(world) == 4


def test_steps_on_other_machines_miss_a_forgotten_plan(world: VaultWorld):
    run = world.process_over(faults.forgotten(prefix="runs/", when=always)).plan_backup(ASSET, HOME)["run"]
    with pytest.raises(NotFound):
        world.process().store_shard(ASSET, HOME, run, 0)


@pytest.mark.parametrize("prefix", ["packs/", "points/", "runs/", "index/", "needs/"])
def test_a_listing_that_lacks_the_newest_keys_keeps_no_backup_from_its_end(world: VaultWorld, prefix: str):
    world.process_over(faults.stale_list(4, prefix=prefix)).backup(ASSET)
    assert whole(world) == 2


def test_a_listing_that_lacks_the_newest_run_key_lets_no_point_show_that_might_not_open(world: VaultWorld):
    with pytest.raises(IntegrityError, match="run key"):
        world.process_over(faults.stale_list(99, prefix="keys/")).backup(ASSET)
    assert whole(world) == 0
    world.process().backup(ASSET)
    assert whole(world) == 2


def test_a_forgotten_object_is_told_from_a_container_that_is_gone():
    with pytest.raises(ContainerMissing):
        refuse_forgotten(MemoryStore(created=False), "key", 1, "pack")
    with FaultyStore(MemoryStore(), faults.forgotten()) as store:
        store.create("key", b"x")
        with pytest.raises(IntegrityError, match="does not hold a pack"):
            refuse_forgotten(store, "key", 1, "pack")
        store.create("key", b"x")
        refuse_forgotten(store, "key", 1, "pack")
        with pytest.raises(IntegrityError, match="1 bytes where 2"):
            refuse_forgotten(store, "key", 2, "pack")


def test_a_region_that_goes_silent_after_it_opened_is_not_one_where_nothing_is_missing(world: VaultWorld):
    world.process().backup(ASSET, [AWAY])
    silent = faults.error(on=("list",), prefix="points/", when=nth(1))
    with pytest.raises(StoreUnavailable):
        world.process_over(silent).replicate(ASSET, to=[HOME])
    world.process().replicate(ASSET)
    assert whole(world) == 2


@pytest.mark.parametrize("hours", [-72, 72])
def test_a_clock_that_is_hours_off_neither_hides_a_point_nor_makes_one_younger(world: VaultWorld, hours: int):
    world.process().backup(ASSET)
    world.process().verify()
    world.clock.advance(timedelta(hours=hours))
    world.process().backup(ASSET)
    assert whole(world) == 4
    asset = world.process().status()["assets"][0]
    assert asset["rpo_s"] is None or asset["rpo_s"] >= 0
