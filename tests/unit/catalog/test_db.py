"""The catalog's database: what is written is read, only changes are written, and nothing unseen is claimed."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, text

from dr_lib.catalog.db import reading
from dr_lib.catalog.db.opening import CatalogDb
from dr_lib.catalog.db.tables import METADATA
from dr_lib.catalog.db.writing import forget_others, replace
from dr_lib.errors import NotFound, Refused, StoreUnavailable, UsageError
from dr_lib.model.catalog import Snapshot
from dr_lib.model.copy import CopyState
from tests.unit.catalog.observed import NOW, VIEW, drill, point, region, snapshot


@pytest.fixture
def database(tmp_path: Path) -> CatalogDb:
    return CatalogDb(f"sqlite:///{tmp_path}/state/catalog.sqlite")


def put(database: CatalogDb, *snapshots: Snapshot) -> list[str]:
    """Write them; returns the statements that changed something."""
    said: list[str] = []

    def watch(_c: object, _u: object, statement: str, parameters: object, *_: object) -> None:
        if statement.split(maxsplit=1)[0] in ("INSERT", "UPDATE", "DELETE"):
            count = len(parameters) if isinstance(parameters, list) else 1
            said.append(f"{' '.join(statement.split()[:3])} x{count}")

    with database.writing() as connection:
        event.listen(connection, "before_cursor_execute", watch)
        for one in snapshots:
            replace(connection, one)
    return said


def test_the_tables_are_what_the_migrations_make(database: CatalogDb):
    with database.writing() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_what_is_written_is_read(database: CatalogDb):
    one = snapshot("m", points=3, drills=2)
    put(database, one)
    with database.reading() as connection:
        found = reading.asset(connection, VIEW, "m")
        assert (found.entry, found.regions, found.protection) == (one.entry, one.regions, "protected")
        points = reading.points(connection, "m")
        assert [p.point for p in points] == [p.point for p in one.points]
        assert points[0].created_at == one.points[0].created_at
        assert [(c.region, c.state, c.is_silent) for c in points[0].copies] == [
            ("east", "verified", False), ("west", "verified", False)
        ]  # fmt: skip
        assert reading.point(connection, "m", one.points[1].point) == points[1]
        assert reading.drills(connection, "m") == one.drills[::-1]


def test_only_what_changed_is_written(database: CatalogDb):
    one = snapshot("m", points=50)
    put(database, one)
    assert put(database, one) == []
    newer = changed(one, points=(point("m", 60), *one.points[:-1]))
    assert sorted(put(database, newer)) == [
        "DELETE FROM copies x2", "DELETE FROM points x1", "INSERT INTO copies x2", "INSERT INTO points x1"
    ]  # fmt: skip
    damaged = point("m", 60, {"east": CopyState.DAMAGED, "west": CopyState.VERIFIED})
    assert put(database, changed(newer, points=(damaged, *newer.points[1:]))) == ["UPDATE copies SET x1"]


def test_what_a_silent_region_held_is_neither_forgotten_nor_claimed(database: CatalogDb):
    one = snapshot("m", points=2)
    put(database, one)
    unknown = {"east": CopyState.VERIFIED, "west": CopyState.UNKNOWN}
    away = (region("east"), region("west", state="unknown", silent="west does not answer"))
    put(database, changed(one, regions=away, points=(point("m", 1, unknown),)))
    with database.reading() as connection:
        found = reading.points(connection, "m")
        assert [p.point for p in found] == [p.point for p in one.points], "what only the silent one may hold"
        assert [(c.region, c.state, c.is_silent) for c in found[0].copies] == [
            ("east", "verified", False), ("west", "verified", True)
        ]  # fmt: skip
        assert [c.region for c in found[1].copies] == ["west"]
    put(database, changed(one, points=(point("m", 1),)))
    with database.reading() as connection:
        assert len(reading.points(connection, "m")) == 1


def test_points_are_paged_by_key(database: CatalogDb):
    one = snapshot("m", points=7)
    put(database, one, snapshot("other", points=3))
    with database.reading() as connection:
        pages, before = [], ""
        while page := reading.points(connection, "m", before=before, limit=3):
            pages.append([p.point for p in page])
            before = page[-1].point
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [name for page in pages for name in page] == [p.point for p in one.points]


def test_those_that_fail_come_first_then_the_unknown(database: CatalogDb):
    late = NOW - timedelta(minutes=5)
    put(
        database,
        snapshot("a"),
        snapshot("b", observed_at=NOW - timedelta(hours=1)),
        snapshot("c", problems=("west does not answer",)),
        snapshot("d", protected_until=late),
        snapshot("e", verified_at=None, protected_until=None),
    )
    with database.reading() as connection:
        found = reading.assets(connection, VIEW)
        assert [(one.entry.asset, one.protection.value) for one in found] == [
            ("c", "failing"), ("d", "failing"), ("e", "failing"), ("b", "unknown"), ("a", "protected")
        ]  # fmt: skip
        seen = reading.overview(connection, VIEW)
        assert (seen.protected, seen.failing, seen.unknown) == (1, 3, 1)
        assert seen.failing_since == late
        assert seen.observed_at == NOW - timedelta(hours=1)
        assert [one.entry.asset for one in reading.assets(connection, VIEW, offset=1, limit=2)] == ["d", "e"]
        assert [one.entry.asset for one in reading.assets(connection, VIEW, search="%")] == []
        assert [one.entry.asset for one in reading.assets(connection, VIEW, search="B")] in ([], ["b"])


def test_nothing_observed_is_nothing_protected(database: CatalogDb):
    put(database)
    with database.reading() as connection:
        assert reading.overview(connection, VIEW) == reading.Overview(0, 0, 0, None, None)


def test_since_when_it_fails_is_kept_until_it_is_well(database: CatalogDb):
    def since(minutes: int, *problems: str) -> object:
        at = NOW + timedelta(minutes=minutes)
        put(database, snapshot("m", observed_at=at, problems=problems))
        with database.reading() as connection:
            return reading.asset(connection, VIEW, "m").entry.failing_since

    assert since(0) is None
    assert since(1, "a") == NOW + timedelta(minutes=1)
    assert since(2, "b") == NOW + timedelta(minutes=1)
    assert since(3) is None
    assert since(4, "a") == NOW + timedelta(minutes=4)


def test_drills_of_a_scenario(database: CatalogDb):
    drills = (drill(1), drill(2, scenario="key-lost"), drill(3))
    put(database, changed(snapshot("m"), drills=drills))
    with database.reading() as connection:
        assert reading.drills(connection, "m", scenario="key-lost") == (drills[1],)
        assert reading.drills(connection, "m", limit=1) == (drills[2],)


def test_assets_that_are_not_named_any_more_are_forgotten(database: CatalogDb):
    put(database, snapshot("m"), snapshot("n"))
    with database.writing() as connection:
        assert forget_others(connection, ["n", "o"]) == ["m"]
    with database.reading() as connection:
        assert [one.entry.asset for one in reading.assets(connection, VIEW)] == ["n"]
        assert reading.points(connection, "m") == ()
        with pytest.raises(NotFound, match="knows no asset 'm'"):
            reading.asset(connection, VIEW, "m")
        with pytest.raises(NotFound, match="knows no point"):
            reading.point(connection, "n", "p")


def test_an_error_in_the_middle_changes_nothing(database: CatalogDb):
    put(database, snapshot("m"))
    with pytest.raises(StoreUnavailable, match="NOT NULL"):
        put(database, changed(snapshot("m", points=5), drills=(drill(1, verdict=None),)))
    with database.reading() as connection:
        assert len(reading.points(connection, "m")) == 2


def test_no_catalog_yet_says_how_to_make_one(database: CatalogDb, tmp_path: Path):
    with pytest.raises(NotFound, match="there is no catalog yet"), database.reading():
        pass
    assert not (tmp_path / "state").exists(), "looking makes nothing"


def test_a_catalog_of_a_newer_release_is_refused(database: CatalogDb):
    put(database)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for opened in (database.writing, database.reading):
        with pytest.raises(Refused, match="made by a newer release"), opened():
            pass


def test_a_file_that_is_no_database_is_told(tmp_path: Path):
    (tmp_path / "catalog.sqlite").write_bytes(b"not at all" * 100)
    database = CatalogDb(f"sqlite:///{tmp_path}/catalog.sqlite")
    for opened in (database.writing, database.reading):
        with pytest.raises(StoreUnavailable, match="file is not a database"), opened():
            pass


def test_a_database_that_does_not_answer_is_told_without_its_password():
    database = CatalogDb("postgresql+psycopg2://dr:secret-word@127.0.0.1:1/dr")
    with pytest.raises(StoreUnavailable, match="does not answer") as raised, database.reading():
        pass
    assert "secret-word" not in f"{raised.value} {raised.value.where}"


@pytest.mark.parametrize("url", ["nonsense", "nothing+at+all://x", "postgresql+nodriver://h/d"])
def test_what_is_no_url_is_refused_without_being_shown(url: str):
    with pytest.raises(UsageError, match="no database URL"):
        CatalogDb(url)
