"""What `dr_freshness` does: it looks whatever it sees, and succeeds only when all is known to be well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dr_lib.errors import NotFound, ObjectiveMissed
from dr_lib.runtime import Runtime
from dr_lib.use_cases.drill_results import digest_of
from dr_lib.workflows.evidence.keep import keep
from tests.drills import report
from tests.world import ASSET, World, make_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = make_world(tmp_path / "w", asset={"kind": "dataset"})
    (made.source / "file").write_bytes(b"x" * 1000)
    monkeypatch.setenv("DR_CONFIG", str(made.config()))
    return made


def operators():
    from dr_airflow.operators import FreshnessOperator, RefreshCatalogOperator

    return RefreshCatalogOperator(task_id="refresh", assets=[ASSET]), FreshnessOperator(task_id="objectives")


def test_nothing_backed_up_is_looked_at_and_fails(world: World):
    refresh, judge = operators()
    with pytest.raises(NotFound, match="no catalog yet"):
        judge.work()
    assert "no verified point in any region that answers" in refresh.work()[ASSET]
    with pytest.raises(ObjectiveMissed, match=f"1 failing, 0 unknown, 0 never seen: {ASSET} is failing: no verified"):
        judge.work()


def test_all_well_succeeds_and_only_then(world: World):
    refresh, judge = operators()
    world.runtime.backup(ASSET)
    assert world.runtime.verify(ASSET)["ok"]
    policy = digest_of(world.runtime.config.asset(ASSET))
    keep([world.vault("one"), world.vault("two")], replace(report(), asset=ASSET, policy_sha256=policy))
    assert refresh.work() == {}
    assert judge.work()["protected"] == 1
    world.regions["two"].rename(world.folder / "away")
    assert "two does not answer" in refresh.work()[ASSET]
    with pytest.raises(ObjectiveMissed, match="two does not answer"):
        judge.work()


def test_a_refresh_that_stopped_is_unknown_and_fails(world: World, monkeypatch: pytest.MonkeyPatch):
    refresh, judge = operators()
    refresh.work()
    told = {"failing": 0, "unknown": 1, "never_seen": 0}
    view = {"asset": ASSET, "protection": "unknown", "problems": [], "observed_at": "long ago"}
    monkeypatch.setattr(Runtime, "overview", lambda _: told)
    monkeypatch.setattr(Runtime, "asset_views", lambda _, **__: [view])
    with pytest.raises(ObjectiveMissed, match=f"1 unknown, 0 never seen: {ASSET} is unknown: nobody looked"):
        judge.work()
    monkeypatch.setattr(Runtime, "overview", lambda _: {**told, "unknown": 0})
    assert judge.work() == {**told, "unknown": 0}
