"""What passes its smoke test is held to damaged copies, and what goes unnoticed proves nothing."""

from __future__ import annotations

import json
from dataclasses import replace

from dr_lib.errors import StoreUnavailable
from dr_lib.model.drill import Control, Sensitivity
from dr_lib.standby.control import Older
from dr_lib.workflows.drill.drill import Order, drill
from tests.unit.workflows.drill.site import PASSED, SEEN, Site
from tests.world import ASSET


def test_what_passes_is_held_to_damaged_copies_outside_the_rto(site: Site):
    found = site.drill()
    assert found.control == SEEN
    ((seed, older, search_s),) = site.standby.controlled
    assert (seed, older.path, search_s) == (found.drill, "", 60.0)
    assert older.said == "no older point in two has another version of a file of its data"
    assert [phase.name for phase in found.phases][-1] == "first output"


def test_a_damage_that_goes_unnoticed_proves_nothing(site: Site):
    site.standby.sensitivity = Sensitivity((Control("a column perturbed", caught=False, detail="x a little off"),))
    found = site.drill()
    assert found.verdict == "not proven"
    assert found.reasons == ("the smoke test did not notice: a column perturbed: x a little off",)


def test_what_failed_is_not_held_to_anything(site: Site):
    site.standby.smoked = replace(PASSED, passed=False, cause="accuracy drift")
    assert site.drill().control is None
    assert site.standby.controlled == []


def test_a_configuration_without_control_says_so(site: Site):
    path = site.vaults.config()
    said = json.loads(path.read_text())
    said["assets"][ASSET]["drill"] = {"control": None}
    path.write_text(json.dumps(said))
    asset = type(site.vaults.runtime).load(path, environ={}).config.asset(ASSET)
    found = drill(Order(asset, "region-lost", "one", None, "digest"), site.world)
    assert (found.control, site.standby.controlled) == (None, [])
    assert "whether the smoke test would notice a damaged copy was not tried" in found.unproven


def test_the_newest_older_point_with_another_version_gives_its_file(site: Site):
    (first,) = [point["point"] for point in site.vaults.runtime.points(ASSET)]
    (site.vaults.source / "notes.txt").write_text("no table")
    site.vaults.runtime.backup(ASSET)
    (site.vaults.source / "file.csv").write_text("a,b\n" + "1,3\n" * 500)
    site.vaults.runtime.backup(ASSET)
    (second, *_) = [p["point"] for p in site.vaults.runtime.points(ASSET) if p["point"] != first][::-1]
    assert site.vaults.runtime.verify(ASSET)["ok"]
    site.drill()
    ((_, older, _),) = site.standby.controlled
    assert (older.said, older.path) == (second, "file.csv")
    site.standby.fails_older["two"] = StoreUnavailable("the region is gone")
    site.drill()
    assert site.standby.controlled[1][1] == Older(f"file.csv of {second} could not be restored: the region is gone")
