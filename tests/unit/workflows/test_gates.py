"""A backup of what is unlike the last good point is kept and not believed; ordinary life raises no alarm."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file

from dr_lib.errors import NotFound, Refused, StoreUnavailable, UsageError
from dr_lib.format import reader
from dr_lib.runtime import Runtime
from dr_lib.vault.holds import holds, quarantines
from tests.keys import fresh_keys, keys
from tests.world import ASSET, World, change, flip, make_world, tree

LAYERS = 8


def model(path: Path, tuned: int = 0) -> None:
    """Eight layers of which the first `tuned` are a little further than they were, a bias and a counter."""
    random = np.random.default_rng(5)
    tensors = {f"layer.{n}.weight": random.standard_normal((700, 500), dtype=np.float32) for n in range(LAYERS)}
    step = np.random.default_rng(tuned)
    for number in range(tuned):
        weight = tensors[f"layer.{number}.weight"]
        weight += 0.05 * step.standard_normal(weight.shape, dtype=np.float32)
    more = {"bias": np.zeros(300, dtype=np.float16), "steps": np.array(tuned, dtype=np.int64)}
    save_file(tensors | more, path / "model.safetensors")
    (path / "config.json").write_text('{"layers": 8}' * 10)


def spoil(path: Path, name: str, edit: Any) -> None:
    """Change one tensor of the live model."""
    tensors = load_file(path / "model.safetensors")
    tensors[name] = edit(tensors[name])
    save_file(tensors, path / "model.safetensors")


def encrypt(path: Path) -> None:
    """Random bytes over every file, each as long as it was."""
    for file in path.iterdir():
        file.write_bytes(os.urandom(file.stat().st_size))


def rows(path: Path, count: int, **more: Any) -> None:
    numbers = np.arange(count)
    table = {"id": numbers, "stars": numbers % 5 + 1, "text": [f"review {n} is long enough" for n in numbers]}
    pq.write_table(pa.table(table | more), path / "reviews.parquet")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Sealed vaults that hold one good point of a model."""
    made = make_world(tmp_path / "w", environ=keys().all(), **keys().config())
    model(made.source)
    made.runtime.backup(ASSET)
    return made


def host(world: World) -> Runtime:
    """A machine that backs up and can read nothing."""
    return Runtime.load(world.config(), environ=keys().backup_host())


def held(world: World, region: str) -> set[str]:
    return {hold.point for hold in holds(world.vault(region), ASSET)}


def test_a_source_encrypted_in_place_is_stored_and_not_believed(world: World):
    [good] = world.runtime.points(ASSET)
    before = tree(world.source)
    encrypt(world.source)
    done = host(world).backup(ASSET)
    said = " ".join(done["gate"]["findings"])
    assert "2 files of a known kind (safetensors, text) became bytes of no kind" in said
    assert "10 tensors vanished" in said
    assert "cannot be compressed" in said
    assert done["gate"]["compared_with"] == good["point"]
    assert done["copies"] == {"one": "complete"}, "it is kept as evidence in one region and not spread"
    assert held(world, "one") == held(world, "two") == {good["point"]}
    restored = world.runtime.restore(ASSET, str(world.folder / "out"))
    assert (restored["point"], restored["warnings"]) == (good["point"], [])
    assert tree(world.folder / "out") == before
    assert world.runtime.replicate(ASSET)["copied"] == []


def test_a_region_that_does_not_answer_is_said_when_its_points_could_not_be_held(world: World):
    encrypt(world.source)
    gone = world.regions["two"].rename(world.folder / "away")
    done = host(world).backup(ASSET)
    assert done["gate"]["quarantined"]
    assert any(text.startswith("the good points in two are not on hold: ") for text in done["warnings"])
    gone.rename(world.regions["two"])
    host(world).backup(ASSET)
    assert len(held(world, "two")) == 1


def test_it_stays_so_however_often_the_schedule_backs_it_up(world: World):
    good = world.runtime.points(ASSET)[0]["point"]
    encrypt(world.source)
    points = [host(world).backup(ASSET) for _ in range(3)]
    assert all(point["gate"]["compared_with"] == good for point in points)
    assert points[2]["new_bytes"] == 0, "the same bytes are not stored again, and are no more trusted for it"
    assert set(quarantines(world.vault("one"), ASSET)) == {point["point"] for point in points}
    assert len(holds(world.vault("one"), ASSET)) == 1


def test_encrypted_tables_are_not_believed(tmp_path: Path):
    world = make_world(tmp_path / "w", asset={"kind": "dataset"})
    rows(world.source, 5000)
    world.runtime.backup(ASSET)
    encrypt(world.source)
    gate = world.runtime.backup(ASSET)["gate"]
    assert gate["findings"][0] == (
        "1 file of a known kind (parquet) became bytes of no kind: damaged, or encrypted: reviews.parquet"
    )
    assert gate["untold"] == ["rows and columns are not compared: the tables of this point were not read"]


def test_not_a_number_in_one_tensor_is_found_and_the_bucket_tells_no_name(world: World):
    spoil(world.source, "layer.3.weight", lambda weight: np.where(np.arange(500) == 7, np.nan, weight))
    gate = host(world).backup(ASSET)["gate"]
    assert gate["findings"] == ["NaN appeared in 1 tensor: layer.3.weight"]
    [point] = world.runtime.quarantined(ASSET)
    assert point["findings"] == ["NaN appeared in 1 tensor"]
    events = list((world.regions["one"] / "events").rglob("*quarantine*"))
    assert len(events) == 1
    assert not any(b"layer" in path.read_bytes() for path in events)


def test_a_clear_vault_tells_the_names_too(tmp_path: Path):
    world = make_world(tmp_path / "w")
    model(world.source)
    world.runtime.backup(ASSET)
    spoil(world.source, "layer.3.weight", np.zeros_like)
    world.runtime.backup(ASSET)
    assert world.runtime.points(ASSET)[0]["quarantined"] == ["1 tensor became nothing but zeros: layer.3.weight"]


def test_norms_are_compared_over_runs_and_files_that_were_kept(world: World):
    (world.source / "note.txt").write_text("only this changed")
    world.runtime.backup(ASSET)
    spoil(world.source, "layer.0.weight", lambda weight: 20 * weight)
    assert host(world).backup(ASSET)["gate"]["findings"] == [
        "the norm of 1 tensor became more than 10 times longer or shorter: layer.0.weight"
    ]


def test_a_fine_tune_of_a_quarter_of_the_layers_is_no_anomaly(world: World):
    model(world.source, tuned=LAYERS // 4)
    gate = host(world).backup(ASSET)["gate"]
    assert (gate["quarantined"], gate["untold"]) == (False, [])
    assert 0.2 < gate["new_share"] < 0.3


def test_months_of_ordinary_life_are_no_anomaly(world: World):
    for tuned in (1, 2, 1, 3, LAYERS, 2, LAYERS):
        model(world.source, tuned=tuned)
        assert host(world).backup(ASSET)["gate"]["findings"] == [], tuned
    assert host(world).backup(ASSET)["gate"] == {
        "quarantined": False,
        "findings": [],
        "compared_with": world.runtime.points(ASSET)[1]["point"],
        "new_share": 0.0,
        "untold": [],
    }


def test_a_dataset_that_grows_is_no_anomaly(tmp_path: Path):
    world = make_world(tmp_path / "w", asset={"kind": "dataset"})
    for count in (2000, 3500, 3501):
        rows(world.source, count)
        assert world.runtime.backup(ASSET)["gate"]["findings"] == []


def test_a_dataset_that_lost_rows_and_a_column_is_found(tmp_path: Path):
    world = make_world(tmp_path / "w", asset={"kind": "dataset"})
    rows(world.source, 2000, place=np.arange(2000))
    world.runtime.backup(ASSET)
    rows(world.source, 900)
    assert world.runtime.backup(ASSET)["gate"]["findings"] == [
        "rows went from 2000 down to 900: less than 50 % is left",
        "1 column vanished from all tables: place",
    ]


def test_expectations_are_held_before_the_first_point_is_believed(tmp_path: Path):
    demand = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "stars", "max_value": 4}}
    (tmp_path / "suite.json").write_text(f'{{"name": "s", "expectations": [{demand}]}}'.replace("'", '"'))
    asset = {"kind": "dataset", "expectations": str(tmp_path / "suite.json")}
    world = make_world(tmp_path / "w", asset=asset)
    rows(world.source, 500)
    [said] = world.runtime.backup(ASSET)["gate"]["findings"]
    assert said.startswith("an expectation does not hold: expectation broken: reviews.parquet: ")
    assert world.runtime.restore(ASSET, str(tmp_path / "out"), world.runtime.points(ASSET)[0]["point"])["warnings"]
    with pytest.raises(Refused, match="quarantined"):
        world.runtime.restore(ASSET, str(tmp_path / "latest"))


def test_a_quarantined_point_is_restored_by_its_id_alone_and_with_a_warning(world: World):
    encrypt(world.source)
    bad = host(world).backup(ASSET)["point"]
    for region, target in ((None, "a"), ("one", "b")):
        done = world.runtime.restore(ASSET, str(world.folder / target), bad, region=region)
        assert tree(world.folder / target) == tree(world.source)
        assert done["warnings"][1] == f"{bad} is in quarantine: 10 tensors vanished"


def test_no_objective_is_held_by_a_quarantined_point(world: World):
    world.runtime.verify(ASSET)
    [good] = world.runtime.points(ASSET)
    encrypt(world.source)
    bad = host(world).backup(ASSET)["point"]
    world.runtime.verify(ASSET)
    [standing] = world.runtime.status()["assets"]
    assert standing["newest_verified"] == standing["newest"]["point"] == good["point"]
    assert any(problem.startswith(f"the newest point {bad} is quarantined") for problem in standing["problems"])
    assert not any("no copy" in problem for problem in standing["problems"])


def test_clearing_it_trusts_it_everywhere_and_ends_the_holds_that_it_caused(world: World):
    spoil(world.source, "layer.3.weight", np.zeros_like)
    bad = host(world).backup(ASSET)["point"]
    done = world.runtime.clear_quarantine(ASSET, bad, "a pruned layer")
    assert done["cleared"] == ["one"]
    assert [len(points) for points in done["released"].values()] == [1, 1]
    assert held(world, "one") == held(world, "two") == set()
    assert [copy["region"] for copy in world.runtime.replicate(ASSET)["copied"]] == ["two"]
    assert host(world).backup(ASSET)["gate"]["compared_with"] == bad
    with pytest.raises(NotFound, match="nothing to end"):
        world.runtime.clear_quarantine(ASSET, bad, "again")
    with pytest.raises(UsageError, match="nobody will know why"):
        world.runtime.clear_quarantine(ASSET, bad, " ")


def test_holds_last_as_long_as_a_quarantine_that_needs_them(world: World):
    spoil(world.source, "layer.3.weight", np.zeros_like)
    first = host(world).backup(ASSET)["point"]
    second = host(world).backup(ASSET)["point"]
    assert world.runtime.clear_quarantine(ASSET, first, "looked at")["released"] == {"one": [], "two": []}
    assert len(held(world, "two")) == 1
    done = world.runtime.clear_quarantine(ASSET, second, "it was bad", holds_only=True)
    assert (done["cleared"], len(done["released"]["two"])) == ([], 1)
    assert set(quarantines(world.vault("one"), ASSET)) == {second}
    assert held(world, "one") == held(world, "two") == set()


def test_nothing_is_released_while_a_region_does_not_answer(world: World):
    spoil(world.source, "layer.3.weight", np.zeros_like)
    bad = host(world).backup(ASSET)["point"]
    gone = world.regions["two"].rename(world.folder / "away")
    with pytest.raises((StoreUnavailable, NotFound)):
        world.runtime.clear_quarantine(ASSET, bad, "looked at")
    assert len(held(world, "one")) == 1
    gone.rename(world.regions["two"])
    assert len(world.runtime.clear_quarantine(ASSET, bad, "looked at")["released"]["two"]) == 1


def test_a_copy_that_is_asked_for_brings_its_quarantine_along(world: World):
    encrypt(world.source)
    bad = host(world).backup(ASSET)["point"]
    assert world.runtime.replicate(ASSET, bad)["copied"]
    assert set(quarantines(world.vault("two"), ASSET)) == {bad}
    [point, _] = Runtime.load(world.config(), environ=keys().operator()).points(ASSET)
    assert point["copies"] == {"one": "complete", "two": "complete"}
    assert world.runtime.clear_quarantine(ASSET, bad, "x")["cleared"] == ["one", "two"]


def test_the_reader_of_a_bare_machine_takes_the_good_one_too(world: World, capsys):
    before = tree(world.source)
    encrypt(world.source)
    bad = host(world).backup(ASSET)["point"]
    identity = world.folder / "identity"
    identity.write_text(keys().operations)
    asked = [str(world.regions["one"]), "restore", ASSET, "--identity", str(identity), "--to"]
    assert reader.main([*asked, str(world.folder / "out")]) == 0
    assert tree(world.folder / "out") == before
    assert reader.main([*asked, str(world.folder / "bad"), "--point", bad]) == 0
    assert tree(world.folder / "bad") == tree(world.source)
    assert capsys.readouterr().out.splitlines()[-1].endswith(" bytes quarantine")
    world.runtime.clear_quarantine(ASSET, bad, "looked at")
    assert reader.main([*asked, str(world.folder / "cleared")]) == 0
    assert tree(world.folder / "cleared") == tree(world.source)


def test_a_quarantine_that_cannot_be_read_any_more_stands(world: World):
    encrypt(world.source)
    bad = host(world).backup(ASSET)["point"]
    [event] = (world.regions["one"] / "events").rglob("*quarantine*")
    change(event, flip)
    assert world.runtime.points(ASSET)[0]["quarantined"] == ["why cannot be read any more"]
    assert world.runtime.restore(ASSET, str(world.folder / "out"))["point"] != bad
    world.runtime.clear_quarantine(ASSET, bad, "looked at")
    assert world.runtime.points(ASSET)[0]["quarantined"] is None


def test_a_clearance_by_a_stranger_counts_for_nothing(world: World):
    encrypt(world.source)
    bad = host(world).backup(ASSET)["point"]
    world.runtime.clear_quarantine(ASSET, bad, "looked at")
    [event] = (world.regions["one"] / "events").rglob("*clearance*")
    change(event, flip)
    assert world.runtime.points(ASSET)[0]["quarantined"]


def test_a_writer_with_another_key_says_that_it_compares_nothing(world: World):
    encrypt(world.source)
    stranger = Runtime.load(world.config(), environ=keys().backup_host() | {"DR_WRITER_KEY": fresh_keys().writer})
    gate = stranger.backup(ASSET)["gate"]
    assert gate["quarantined"] is False
    [said] = gate["untold"]
    assert said.startswith("nothing is compared: the records of ")


def test_the_first_point_of_a_region_says_that_it_is_compared_with_nothing(world: World):
    gate = world.runtime.backup(ASSET, ["two"])["gate"]
    assert gate["untold"] == ["nothing is compared: no earlier good point was made in this region"]


def test_who_wants_no_gates_says_so(tmp_path: Path):
    world = make_world(tmp_path / "w", asset={"gates": "none"})
    model(world.source)
    world.runtime.backup(ASSET)
    encrypt(world.source)
    assert world.runtime.backup(ASSET)["gate"] is None


def test_step_by_step_a_commit_may_be_told_again_and_says_the_same_until_it_is_cleared(world: World):
    encrypt(world.source)
    machine = host(world)
    plan = machine.plan_backup(ASSET)
    step = (ASSET, plan["region"], plan["run"])
    for shard in range(plan["shards"]):
        machine.store_shard(*step, shard)
    machine.record_proof(*step)
    gates = [machine.commit_backup(*step)["gate"] for _ in range(2)]
    assert gates[0] == gates[1]
    assert gates[0]["quarantined"]
    assert len(list((world.regions["one"] / "events").rglob("*quarantine*"))) == 1
    world.runtime.clear_quarantine(ASSET, plan["run"], "looked at")
    assert machine.commit_backup(*step)["gate"]["quarantined"] is False
