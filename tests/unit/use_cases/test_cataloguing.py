"""The catalog over real vaults: it says what the regions hold, and how old its word is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dr_lib.errors import NotFound, UsageError
from dr_lib.runtime import Runtime
from dr_lib.vault import drills
from dr_lib.vault.vault import Vault
from dr_lib.workflows.evidence.keep import keep
from tests.drills import report
from tests.world import ASSET, World, make_world, weights


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two points in two regions, the older one verified."""
    made = make_world(tmp_path / "w")
    weights(made.source / "a.safetensors")
    made.runtime.backup(ASSET)
    assert made.runtime.verify(ASSET)["ok"]
    weights(made.source / "a.safetensors", seed=1)
    made.runtime.backup(ASSET)
    return made


def later(world: World, **passed: Any) -> Runtime:
    """The same, when that much more time has passed."""
    wiring = world.runtime._wiring
    return Runtime(replace(wiring, clock=lambda: wiring.clock() + timedelta(**passed)))


def drilled(world: World, vaults: list[Vault], number: int) -> None:
    keep(vaults, replace(report(number), asset=ASSET, drill=f"2026112{number}T000000000000Z-0000000{number}"))


def test_it_says_what_the_regions_hold(world: World):
    told = world.runtime.refresh_catalog()
    assert [(one["asset"], one["points"]) for one in told["assets"]] == [(ASSET, 2)]
    assert told["ok"] is False
    view = world.runtime.asset_view(ASSET)
    older, newer = sorted(point["point"] for point in world.runtime.points(ASSET))
    assert [(one["region"], one["state"], one["newest"], one["points"]) for one in view["regions"]] == [
        ("one", "complete", newer, 2), ("two", "complete", newer, 2)
    ]  # fmt: skip
    (first, second) = world.runtime.point_views(ASSET)
    assert (first["point"], second["point"]) == (newer, older)
    assert {copy["state"] for copy in second["copies"]} == {"verified"}
    assert second == world.runtime.point_view(ASSET, older)
    assert view["verified_at"] == second["created_at"], "the newest that is verified"
    assert "never drilled: nothing shows that the RTO holds" in view["problems"]
    assert json.loads(json.dumps(view)) == view


def test_its_word_is_unknown_when_it_is_old_and_ages_when_it_is_not(world: World):
    world.runtime.refresh_catalog()
    young = later(world, minutes=10).asset_view(ASSET)
    assert young["protection"] == "failing"
    assert 590 < young["rpo_s"] - world.runtime.asset_view(ASSET)["rpo_s"] < 610
    old = later(world, minutes=16)
    assert old.asset_view(ASSET)["protection"] == "unknown"
    assert (old.overview()["failing"], old.overview()["unknown"]) == (0, 1)


def test_a_silent_region_is_a_problem_and_what_it_held_is_kept(world: World):
    world.runtime.refresh_catalog()
    world.regions["one"].rename(world.folder / "away")
    told = world.runtime.refresh_catalog()
    assert "one does not answer" in told["assets"][0]["problems"]
    one, two = world.runtime.asset_view(ASSET)["regions"]
    assert (one["state"], two["state"]) == ("unknown", "complete")
    assert "is missing" in one["silent"]
    (first, _) = world.runtime.point_views(ASSET)
    assert [(copy["region"], copy["is_silent"]) for copy in first["copies"]] == [("one", True), ("two", False)]


def test_drills_are_read_once_and_a_policy_that_changed_is_told(world: World, monkeypatch: pytest.MonkeyPatch):
    vaults = [world.vault("one"), world.vault("two")]
    drilled(world, vaults, 1)
    world.runtime.refresh_catalog()
    drilled(world, vaults, 2)
    read: list[str] = []
    parse = drills.parse_evidence
    monkeypatch.setattr(drills, "parse_evidence", lambda v, a, key, data: read.append(key) or parse(v, a, key, data))
    world.runtime.refresh_catalog()
    assert [key.rpartition("/")[2] for key in read] == ["20261122T000000000000Z-00000002.json"]
    found = world.runtime.drill_views(ASSET)
    assert [one["drill"][:9] for one in found] == ["20261122T", "20261121T"]
    assert all(one["policy_current"] is False for one in found), "they name the digest of another policy"
    assert world.runtime.status()["assets"][0]["last_drill"]["drill"] == found[0]["drill"]


def test_assets_that_left_the_file_are_forgotten(world: World):
    world.runtime.refresh_catalog()
    said = json.loads(world.config().read_text())
    said["assets"]["other"] = said["assets"].pop(ASSET)
    world.config().write_text(json.dumps(said))
    runtime = Runtime.load(world.config(), environ=dict(world.runtime._wiring.environ))
    assert runtime.overview()["never_seen"] == 0
    assert runtime.refresh_catalog(["other"])["forgotten"] == []
    assert runtime.refresh_catalog()["forgotten"] == [ASSET]
    with pytest.raises(NotFound):
        runtime.asset_view(ASSET)


def test_lost_it_is_made_anew(world: World):
    world.runtime.refresh_catalog()
    before = world.runtime.point_views(ASSET)
    (world.folder / ".dr-state" / "catalog.sqlite").unlink()
    with pytest.raises(NotFound, match="no catalog yet"):
        world.runtime.overview()
    assert world.runtime.rebuild_catalog()["assets"][0]["points"] == 2
    assert world.runtime.point_views(ASSET) == before


def test_its_place_may_be_named_by_a_variable(world: World, tmp_path: Path):
    said = json.loads(world.config().read_text()) | {"catalog": {"url": "env:DR_CATALOG_URL"}}
    world.config().write_text(json.dumps(said))
    with pytest.raises(UsageError, match="env:DR_CATALOG_URL does not hold the catalog's URL"):
        Runtime.load(world.config(), environ={}).refresh_catalog()
    environ = {"DR_CATALOG_URL": f"sqlite:///{tmp_path}/elsewhere.sqlite"}
    Runtime.load(world.config(), environ=environ).refresh_catalog()
    assert (tmp_path / "elsewhere.sqlite").is_file()


def test_its_place_may_stand_in_a_file(world: World, tmp_path: Path):
    said = json.loads(world.config().read_text()) | {"catalog": {"url": f"file:{tmp_path}/url"}}
    world.config().write_text(json.dumps(said))
    with pytest.raises(UsageError, match="url does not hold the catalog's URL"):
        Runtime.load(world.config(), environ={}).refresh_catalog()
    (tmp_path / "url").write_text(f"sqlite:///{tmp_path}/there.sqlite\n")
    Runtime.load(world.config(), environ={}).refresh_catalog()
    assert (tmp_path / "there.sqlite").is_file()
