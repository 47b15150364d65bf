"""All figures at once, and who may have them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from dr_lib.catalog.db.opening import CatalogDb
from dr_lib.catalog.db.writing import replace
from dr_lib.errors import NotFound, UsageError
from dr_lib.runtime import Runtime
from dr_lib.storage.credentials import Credentials
from tests.unit.catalog.observed import NOW, drill, snapshot
from tests.world import ASSET, World, make_world

TOKEN = "0123456789abcdef"


def runtime(folder: Path, assets: tuple[str, ...], token: str | None = None, **environ: str) -> Runtime:
    """Over assets that lie nowhere."""
    asset = {"kind": "dataset", "source": "/nowhere", "regions": ["east"]}
    config: dict[str, Any] = {"regions": {"east": {"url": "/nowhere/east"}}, "encryption": "none"}
    config |= {"assets": dict.fromkeys(assets, asset), "metrics": {} if token is None else {"token": token}}
    (folder / "dr.yaml").write_text(json.dumps(config))
    return Runtime.load(folder / "dr.yaml", environ={"DR_STATE_DIR": str(folder), **environ}, clock=lambda: NOW)


def fill(folder: Path, *assets: str) -> None:
    database = CatalogDb(f"sqlite:///{folder}/catalog.sqlite")
    with database.writing() as connection:
        for name in assets:
            replace(connection, snapshot(name, drills=3))


def test_the_newest_drill_of_each_scenario_of_each_asset(tmp_path: Path):
    first = snapshot("a", drills=0)
    told = (drill(1), drill(2, verdict="not proven"), drill(0, scenario="key-lost"))
    with CatalogDb(f"sqlite:///{tmp_path}/catalog.sqlite").writing() as connection:
        replace(connection, type(first)(first.entry, first.regions, first.points, told))
        replace(connection, snapshot("b", drills=1))
    found = runtime(tmp_path, ("a", "b")).figures()["drills"]
    assert [(one["asset"], one["scenario"], one["verdict"], one["rto_s"]) for one in found] == [
        ("a", "key-lost", "proven", 10.0), ("a", "region-lost", "not proven", 12.0),
        ("b", "region-lost", "proven", 10.0),
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 60])
def test_there_are_as_many_questions_for_one_asset_as_for_many(tmp_path: Path, count: int):
    names = tuple(f"asset-{number}" for number in range(count))
    fill(tmp_path, *names)
    said: list[str] = []

    def heard(_c: object, _u: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", heard)
    try:
        found = runtime(tmp_path, names).figures()
    finally:
        event.remove(Engine, "before_cursor_execute", heard)
    assert len(found["assets"]) == count
    assert len([one for one in said if "FROM asset" in one or "FROM drills" in one or "FROM alerts" in one]) == 5


def test_what_dr_yaml_promises_is_told_of_assets_that_nobody_looked_at(tmp_path: Path):
    fill(tmp_path, "seen")
    found = runtime(tmp_path, ("seen", "new")).figures()
    assert found["overview"]["never_seen"] == 1
    assert found["promises"]["new"] == {"verify_within_s": 2_592_000.0, "drill_due_at": "2026-11-23T03:00:00.000000Z"}
    assert found["alerts"] == {"warning": 0, "critical": 0}


def test_without_a_catalog_there_are_no_figures(tmp_path: Path):
    with pytest.raises(NotFound, match="no catalog yet"):
        runtime(tmp_path, ("a",)).figures()


@pytest.mark.parametrize("sent", [TOKEN[:-1], f"{TOKEN}0", "", "é" * 16])
def test_the_right_token_alone(tmp_path: Path, sent: str):
    found = runtime(tmp_path, (), "env:TOKEN", TOKEN=f"{TOKEN}\n")
    assert found.may_scrape(TOKEN)
    assert not found.may_scrape(sent)


def test_without_a_setting_no_token_is_right(tmp_path: Path):
    assert not runtime(tmp_path, ()).may_scrape("")


@pytest.mark.parametrize(("held", "said"), [("", "is not there"), (TOKEN[:-1], "shorter than 16 characters")])
def test_a_token_that_is_no_secret_is_refused(tmp_path: Path, held: str, said: str):
    with pytest.raises(UsageError, match=said) as told:
        runtime(tmp_path, (), "env:TOKEN", TOKEN=held).may_scrape(held)
    assert not held or held not in str(told.value)


def test_a_token_in_a_file_and_in_a_connection(tmp_path: Path):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert runtime(tmp_path, (), "file:token").may_scrape(TOKEN)
    asked: list[str] = []

    def connections(name: str) -> Credentials:
        asked.append(name)
        return Credentials(None, TOKEN, None)

    assert runtime(tmp_path, (), "airflow:scraper").may_scrape(TOKEN, connections)
    assert asked == ["scraper"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w", asset={"kind": "dataset"}, environ={"DR_STATE_DIR": str(tmp_path / "state")})
    (world.source / "file").write_bytes(b"x")
    world.runtime.backup(ASSET)
    world.runtime.verify(ASSET)
    world.runtime.refresh_catalog()
    return world


def test_a_region_that_is_down_is_in_the_figures_after_the_next_look_and_its_age_goes_on(world: World):
    world.regions["one"].rename(world.folder / "away")
    before = {one["region"]: one["silent"] for one in world.runtime.figures()["assets"][0]["regions"]}
    world.runtime.refresh_catalog()
    clock = world.runtime._wiring.clock
    environ = dict(world.runtime._wiring.environ)
    later = Runtime.load(world.config(), environ=environ, clock=lambda: clock() + timedelta(hours=1)).figures()
    (seen,) = later["assets"]
    assert before == {"one": "", "two": ""}
    assert [(one["region"], bool(one["silent"]), one["state"]) for one in seen["regions"]] == [
        ("one", True, "unknown"), ("two", False, "verified")
    ]  # fmt: skip
    assert (seen["protection"], seen["rpo_s"] > 3600) == ("unknown", True)
