"""What a prune deletes, when, and what it leaves: over real vaults in directories."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from dr_lib.errors import NotFound, UsageError
from dr_lib.format import canonical, layout
from tests.keys import keys
from tests.pruning import GRACE, LATER, Time, all_whole, committed, objects, pruned_world, runtime_at, verified
from tests.world import ASSET, World, change, flip


@pytest.fixture
def world(tmp_path: Path, time: Time) -> World:
    world = pruned_world(tmp_path / "w", time)
    (world.source / "changing").write_bytes(os.urandom(50_000))
    return world


def another(world: World) -> str:
    (world.source / "changing").write_bytes(os.urandom(50_000))
    return verified(world)


def two_points(world: World) -> tuple[str, str]:
    return verified(world), another(world)


def needed(world: World, point: str) -> set[str]:
    return {layout.pack_key(ref.sha256) for ref in world.vault("one").summary(ASSET, point).packs}


def pruned(world: World, **more):
    found = world.runtime.prune(apply=True, **more)
    assert found["problems"] == []
    return found["regions"][0]


def test_a_dry_run_says_what_would_go_and_changes_nothing(world: World):
    old, new = two_points(world)
    before = objects(world)
    found = world.runtime.prune()
    assert [(p["point"], p["expires"]) for p in found["assets"][0]["points"]] == [(new, False), (old, True)]
    assert [p["point"] for p in found["regions"][0]["proposed"]["points"]] == [old]
    assert found["exit_code"] == 0
    assert objects(world) == before


def test_a_point_goes_a_grace_period_after_it_was_planned_with_all_that_only_it_needed(world: World, time: Time):
    old, new = two_points(world)
    time.passes(LATER)
    first = pruned(world)
    assert committed(world) == [old, new]
    assert first["plan"]
    time.passes(GRACE - timedelta(minutes=1))
    assert [w["plan"] for w in pruned(world)["waiting"]] == [first["plan"]]
    assert committed(world) == [old, new]
    time.passes(timedelta(minutes=2))
    [done] = pruned(world)["executed"]
    assert (done["points"], done["state"], done["plan"]) == ([old], "done", first["plan"])
    assert committed(world) == [new]
    all_whole(world)
    assert objects(world, kind="packs/") == needed(world, new)
    assert not [key for key in objects(world) if old in key and "proof" not in key]  # equal proofs are one pack
    assert not objects(world, kind="prunes/")


def test_a_pack_that_another_point_needs_as_well_stays(world: World, time: Time):
    (world.source / "same").write_bytes(os.urandom(50_000))
    old, new = two_points(world)
    shared = needed(world, old) & needed(world, new)
    assert shared
    for _ in range(2):
        time.passes(LATER)
        pruned(world)
    assert committed(world) == [new]
    assert objects(world, kind="packs/") == needed(world, new) >= shared
    all_whole(world)


def test_what_may_go_is_planned_once(world: World, time: Time):
    two_points(world)
    time.passes(LATER)
    assert pruned(world)["plan"]
    assert pruned(world)["plan"] is None


def test_young_packs_are_no_garbage(world: World, time: Time):
    run = world.runtime.plan_backup(ASSET)["run"]
    world.runtime.store_shard(ASSET, "one", run, 0)
    assert pruned(world)["plan"] is None
    assert world.runtime.record_proof(ASSET, "one", run)
    assert world.runtime.commit_backup(ASSET, "one", run)["point"] == run


def test_the_packs_and_records_of_a_dead_run_go(world: World, time: Time):
    verified(world)
    (world.source / "changing").write_bytes(os.urandom(50_000))
    before = objects(world)
    run = world.runtime.plan_backup(ASSET)["run"]
    world.runtime.store_shard(ASSET, "one", run, 0)
    time.passes(LATER)
    assert pruned(world)["plan"]
    time.passes(LATER)
    pruned(world)
    assert objects(world) - before == {f"runs/{ASSET}/{run}/closed"}
    all_whole(world)


def test_a_hold_made_after_the_plan_keeps_the_point(world: World, time: Time):
    old, new = two_points(world)
    time.passes(LATER)
    pruned(world)
    world.runtime.add_hold(ASSET, old, "audit", "asked for by legal")
    time.passes(LATER)
    [done] = pruned(world)["executed"]
    assert (done["points"], done["kept"]) == ([], [old])
    assert committed(world) == [old, new]
    all_whole(world)
    world.runtime.remove_hold(ASSET, old, "audit", "the case is closed")
    assert pruned(world)["plan"]


def test_an_expired_point_is_not_taken_for_lost_and_not_copied_again(tmp_path: Path, time: Time):
    world = pruned_world(tmp_path / "w", time, ("one", "two"))
    (world.source / "changing").write_bytes(b"first")
    old, new = two_points(world)
    time.passes(LATER)
    pruned(world, region="one")
    time.passes(LATER)
    pruned(world, region="one")
    assert committed(world, "one") == [new]
    assert {p["point"]: p["copies"] for p in world.runtime.points(ASSET)} == {
        new: {"one": "verified", "two": "verified"},
        old: {"one": "expired", "two": "verified"},
    }
    assert world.runtime.replicate(ASSET)["copied"] == []
    all_whole(world)


def test_a_policy_that_would_keep_nothing_is_refused(tmp_path: Path, time: Time):
    retention = {"hourly": 0, "daily": 0, "weekly": 0, "monthly": 0, "keep_within": "1h"}
    world = pruned_world(tmp_path / "w", time, asset={"retention": retention})
    (world.source / "changing").write_bytes(b"first")
    points = two_points(world)
    time.passes(LATER)
    found = world.runtime.prune(apply=True)
    assert found["exit_code"] == 7
    assert "would let 1 of 2 points go" in found["problems"][0]
    assert found["regions"][0]["plan"] is None
    assert committed(world) == sorted(points)


def test_a_region_of_which_one_manifest_cannot_be_read_is_left_alone(world: World, time: Time):
    _, new = two_points(world)
    time.passes(LATER)
    pruned(world)
    time.passes(LATER)
    change(world.regions["one"] / "points" / ASSET / f"{new}.manifest", lambda data: flip(data, 60))
    before = objects(world)
    with pytest.raises(Exception, match="nothing here is deleted") as raised:
        world.runtime.prune(apply=True)
    assert raised.value.exit_code == 7
    assert objects(world) == before


def test_a_region_that_does_not_answer_keeps_every_point(tmp_path: Path, time: Time):
    world = pruned_world(tmp_path / "w", time, ("one", "two"))
    (world.source / "changing").write_bytes(b"first")
    old, new = two_points(world)
    time.passes(LATER)
    pruned(world)
    time.passes(LATER)
    world.regions["two"].rename(tmp_path / "gone")
    found = world.runtime.prune(apply=True)
    assert found["exit_code"] == 5
    assert found["regions"][0]["executed"][0]["kept"] == [old]
    assert committed(world) == [old, new]


def test_the_cap_of_a_run_is_kept_and_the_next_one_goes_on(tmp_path: Path, time: Time):
    world = pruned_world(tmp_path / "w", time, prune={"objects": 3})
    (world.source / "changing").write_bytes(b"first")
    old, new = two_points(world)
    time.passes(LATER)
    pruned(world)
    time.passes(LATER)
    seen = [objects(world)]
    for _ in range(9):
        done = pruned(world)["executed"]
        seen.append(objects(world))
        assert len(seen[-2] - seen[-1] - {k for k in seen[-2] if k.startswith("prunes/")}) <= 3
        all_whole(world)
        if done[0]["state"] == "done":
            break
    assert len(seen) > 3
    assert committed(world) == [new]
    assert not [key for key in objects(world, kind="runs/") if old in key]


def test_a_grace_period_shorter_than_a_backup_took_is_refused(world: World, time: Time):
    run = world.runtime.plan_backup(ASSET)["run"]
    world.runtime.store_shard(ASSET, "one", run, 0)
    world.vault("one").store.head(f"runs/{ASSET}/{run}/plan.json.zst")
    time.passes(LATER)
    world.runtime.record_proof(ASSET, "one", run)
    world.runtime.commit_backup(ASSET, "one", run)
    with pytest.raises(Exception, match="longer than the grace period") as raised:
        world.runtime.prune()
    assert raised.value.exit_code == 7


def test_an_asset_of_its_own_can_be_pruned_and_touches_no_other(world: World, time: Time):
    old, _ = two_points(world)
    time.passes(LATER)
    pruned(world, asset=ASSET)
    time.passes(LATER)
    [done] = pruned(world, asset=ASSET)["executed"]
    assert done["points"] == [old]
    all_whole(world)
    with pytest.raises(NotFound):
        world.runtime.prune("nothing")


def test_in_a_sealed_and_signed_vault_it_goes_without_a_reading_key_and_takes_run_keys_along(
    tmp_path: Path, time: Time
):
    world = pruned_world(tmp_path / "w", time, environ=keys().all(), **keys().config())
    (world.source / "changing").write_bytes(os.urandom(50_000))
    _, new = two_points(world)
    janitor = runtime_at(world, time, {"DR_SIGNING_KEY": keys().signer})
    for _ in range(2):
        time.passes(LATER)
        found = janitor.prune(apply=True)
        assert found["problems"] == []
    assert committed(world) == [new]
    left = {key.split("/")[1] for key in objects(world, kind="keys/")}
    assert left == set(world.vault("one").summary(ASSET, new).keys)
    all_whole(world)


def test_in_a_signed_vault_a_plan_that_nobody_trusted_signed_is_not_followed(tmp_path: Path, time: Time):
    world = pruned_world(tmp_path / "w", time, environ=keys().all(), **keys().config())
    (world.source / "changing").write_bytes(os.urandom(50_000))
    points = two_points(world)
    time.passes(LATER)
    pruned(world)
    [plan] = (world.regions["one"] / "prunes").glob("*.json")
    forged = canonical.loads(plan.read_bytes(), "plan") | {"signatures": []}
    change(plan, lambda _: canonical.dumps(forged))
    time.passes(LATER)
    region = pruned(world)
    assert "cannot be believed" in region["warnings"][0]
    assert region["executed"] == []
    assert committed(world) == sorted(points)
    with pytest.raises(UsageError, match="no signing key"):
        runtime_at(world, time).prune(apply=True)


def test_a_janitor_whose_clock_is_hours_ahead_deletes_nothing_that_is_too_young(tmp_path: Path, time: Time):
    keep, ahead = timedelta(hours=48), timedelta(hours=9)
    nothing = {"hourly": 0, "daily": 0, "weekly": 0, "monthly": 0}
    world = pruned_world(tmp_path / "w", time, asset={"retention": nothing | {"last": 1, "keep_within": "48h"}})
    (world.source / "changing").write_bytes(b"first")
    old, new = two_points(world)
    wrong = runtime_at(world, Time(ahead))
    for hours in range(0, 200, 4):
        wrong._wiring.clock.ahead = time.ahead + ahead
        wrong.prune(apply=True)
        if committed(world) == [new]:
            assert timedelta(hours=hours) > keep
            return
        assert committed(world) == [old, new]
        time.passes(timedelta(hours=4))
    raise AssertionError("it was never deleted")
