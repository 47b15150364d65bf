"""The lease of an endpoint: one holder at a time, in more than half of its regions, whatever dies or goes missing."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from dr_lib.clock import utc_now
from dr_lib.errors import IntegrityError, Refused, StoreUnavailable
from dr_lib.model.serving import Lease, LeasePolicy, Site
from dr_lib.policy.leases import CLOCKS_DIFFER
from dr_lib.vault.leases import newest_lease
from dr_lib.vault.vault import Vault
from dr_lib.workflows.failover.holding import Claim, HeldLease, newest_of, take_lease
from tests.world import World, change, make_world

REGIONS = ("one", "two", "three")
LONG = LeasePolicy(REGIONS, timedelta(minutes=1))
MINE = Claim("api", "anna/1", Site.STANDBY, "a point", "a reason")
THEIRS = replace(MINE, holder="ben/2")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path, REGIONS)


def vaults(world: World, *names: str) -> list[Vault]:
    return [world.vault(name) for name in names or REGIONS]


def take(world: World, claim: Claim = MINE, policy: LeasePolicy = LONG, *names: str) -> HeldLease:
    return take_lease(vaults(world, *names), policy, claim, utc_now)


def newest(world: World) -> Lease | None:
    return newest_of(vaults(world), "api", LONG)[1]


def test_it_stands_in_every_region_and_ends_with_a_word(world: World):
    with take(world) as held:
        held.step("restore")
        for vault in vaults(world):
            found = newest_lease(vault, "api")
            assert (found, found.step, found.done) == (held.lease, "restore", "")
        held.end("moved")
    last = newest(world)
    assert last is not None
    assert (last.number, last.operation, last.done) == (3, 1, "moved")
    assert newest_of(vaults(world), "another", LONG)[1] is None


def test_a_second_one_is_refused_until_the_first_ends(world: World):
    with take(world) as held:
        with pytest.raises(Refused, match=r"anna/1 holds it, moves to the standby, and is at `begin`"):
            take(world, THEIRS)
        held.end("failed: something")
    with take(world, THEIRS) as next_one:
        assert next_one.lease.number == 3


def test_one_that_dies_lets_go_when_its_time_is_over(world: World):
    take(world)  # and never enters, as one that was killed
    later = utc_now() + LONG.ttl + CLOCKS_DIFFER + timedelta(seconds=2)
    with take_lease(vaults(world), LONG, THEIRS, lambda: later) as held:
        assert (held.lease.number, held.lease.operation) == (2, 2)


def test_its_own_holder_goes_on_where_it_was(world: World):
    first = take(world)
    first.step("switch")
    again = take(world, replace(MINE, point="a newer point"))
    assert (again.lease.operation, again.lease.step, again.lease.point) == (1, "switch", "a point")
    with pytest.raises(Refused, match="somebody else took the lease"):
        first.step("confirm")  # the one that was thought dead
    with pytest.raises(Refused, match="not held any more"):
        first.check()


def test_an_error_gives_it_up_and_says_why(world: World):
    with pytest.raises(KeyError), take(world):
        raise KeyError("lost")
    last = newest(world)
    assert last is not None
    assert last.done == "given up: 'lost'"


@pytest.mark.parametrize("count", [2, 8])
def test_of_many_that_take_it_at_once_one_at_most_gets_it(world: World, count: int):
    ready, won, lost = threading.Barrier(count), [], []

    def one(number: int) -> None:
        own = vaults(world)
        ready.wait()
        try:
            won.append(take_lease(own, LONG, replace(MINE, holder=f"holder {number}"), utc_now))
        except Refused as error:
            lost.append(str(error))

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(one, range(count)))
    assert (len(won), len(lost)) == (1, count - 1)
    assert all("took the lease" in text or "is held" in text for text in lost)


def test_two_that_see_different_regions_never_both_get_it(world: World):
    """The one sees the first two regions, the other the last two: they meet in the middle."""
    with take(world, MINE, LONG, "one", "two"), pytest.raises(Refused):
        take(world, THEIRS, LONG, "two", "three")
    with pytest.raises(StoreUnavailable, match="needs 2 of its regions"):
        take(world, THEIRS, LONG, "three")
    assert newest_lease(world.vault("three"), "api") is None


def test_what_a_loser_left_in_one_region_counts_as_held_until_it_runs_out(world: World):
    """Ben wrote in a region that Anna did not see, and was refused in the next: nobody may take it for free."""
    from dr_lib.vault.leases import write_lease

    with take(world, THEIRS, LONG, "two", "three") as theirs:
        orphan = replace(theirs.lease, holder="carl/3", number=5)
        write_lease(world.vault("one"), orphan)
        theirs.end("moved")
    with pytest.raises(Refused, match="carl/3 holds it"):
        take(world)


def test_it_is_renewed_while_work_goes_on(world: World):
    with take(world, MINE, LeasePolicy(REGIONS, timedelta(seconds=0.6))) as held:
        for attempt in Retrying(stop=stop_after_delay(20), wait=wait_fixed(0.05), reraise=True):
            with attempt:
                assert held.lease.number >= 4
        held.check()


def test_one_that_cannot_be_renewed_is_over_in_time(world: World):
    with take(world, MINE, LeasePolicy(REGIONS, timedelta(seconds=0.5))) as held:
        for name in ("one", "two"):
            shutil.rmtree(world.regions[name])
            world.regions[name].write_text("in the way of a directory")

        def refusal() -> str:
            try:
                held.check()
            except Refused as error:
                return str(error)
            return ""

        wait = Retrying(stop=stop_after_delay(20), wait=wait_fixed(0.05), retry=retry_if_result(lambda text: not text))
        assert "could not be renewed in time" in wait(refusal)


def test_a_region_that_is_away_for_a_moment_costs_nothing(world: World):
    with take(world) as held:
        aside = world.regions["one"].with_name("aside")
        world.regions["one"].rename(aside)
        world.regions["one"].write_text("in the way of a directory")
        held.step("restore")
        world.regions["one"].unlink()
        aside.rename(world.regions["one"])
        held.step("smoke")
        assert newest_lease(world.vault("one"), "api") == held.lease


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: data.replace(b'"holder":"anna/1"', b'"holder":"carl/3"').replace(b'"number":1', b'"number":9'),
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b'"to":"standby"', b'"to":"nowhere"'),
        lambda _: b"[]",
    ],
)
def test_a_record_that_was_tampered_with_is_never_taken_for_free(world: World, edit: Callable[[bytes], bytes]):
    """In one region of three the others decide; in two of them nobody knows who may."""
    with take(world) as held:
        for count, region in enumerate(("two", "three"), 1):
            record = world.regions[region] / "leases" / "api" / "00000001.json"
            change(record, edit)
            with pytest.raises((Refused, IntegrityError)) as caught:
                take(world, THEIRS)
            assert isinstance(caught.value, Refused if count == 1 else IntegrityError)
        held.end("moved")


def test_one_damaged_record_keeps_nobody_from_a_free_lease(world: World):
    with take(world) as held:
        held.end("moved")
    change(world.regions["two"] / "leases" / "api" / "00000002.json", lambda data: data[:20])
    with take(world, THEIRS) as theirs:
        assert theirs.lease.number == 3


def test_a_full_verification_finds_one_that_was_changed_or_removed(world: World):
    (world.source / "file").write_text("x")
    world.runtime.backup("thing")
    with take(world) as held:
        held.end("moved")
    assert world.runtime.verify("thing")["ok"]
    records = world.regions["one"] / "leases" / "api"
    change(records / "00000001.json", lambda data: data.replace(b"anna/1", b"anna/2"))
    (records / "00000002.json").unlink()
    found = world.runtime.verify("thing", region="one")
    findings = [text for run in found["runs"] for text in run["findings"]]
    assert [text for text in findings if "leases/" in text and "is not the one that stood there" in text]
    assert [text for text in findings if "below leases/ is gone" in text]
    assert world.runtime.heal("thing", region="one")["ok"]
    assert world.runtime.verify("thing")["ok"]


def test_times_are_the_holders(world: World):
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    held = take_lease(vaults(world), LONG, MINE, lambda: moment)
    assert (held.lease.at, held.lease.until) == (moment, moment + LONG.ttl)
