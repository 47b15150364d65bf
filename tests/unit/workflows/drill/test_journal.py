"""The journal of drills: durable before, private, gone after; and who may undo whose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dr_lib.errors import DrError, Refused
from dr_lib.workflows.drill.blows.aside import AsideBlow
from dr_lib.workflows.drill.blows.blow import Tools
from dr_lib.workflows.drill.blows.commands import CommandBlow
from dr_lib.workflows.drill.blows.encrypted import EncryptedBlow
from dr_lib.workflows.drill.blows.objects import DamagedBlow, DeletedBlow
from dr_lib.workflows.drill.journal import Busy, Entry, Journal
from dr_lib.workflows.drill.undo import refuse_unless_undone, undo_leftovers

BLOWS = (
    CommandBlow("one", "lose", ("stop", "it"), ("start", "it"), 9.5),
    AsideBlow("/live", "/live.lost", disposable=True),
    EncryptedBlow("/live", "/live.lost", "/live.draft"),
    DamagedBlow("one", "packs/ab/cd", 7),
    DeletedBlow("one", ("points/a/1", "points/a/2")),
)
ENTRY = Entry("20261126T180000000000Z-0a1b2c3d", "thing", "region-lost", BLOWS)


@pytest.fixture
def journal(tmp_path) -> Journal:
    return Journal(tmp_path / "state" / "drills")


def unused(entry: Entry) -> Tools:
    raise AssertionError(f"{entry} is not to be undone")


def test_every_kind_of_blow_is_read_as_it_was_written(journal: Journal):
    journal.write(ENTRY)
    assert journal.entries() == [ENTRY]
    assert journal.has(ENTRY)
    journal.remove(ENTRY)
    journal.remove(ENTRY)
    assert journal.entries() == []
    assert not journal.has(ENTRY)


def test_only_its_owner_can_read_it(journal: Journal):
    journal.write(ENTRY)
    kept = journal.kept(ENTRY.drill)
    assert kept.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in kept.iterdir()} == {0o600}


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "state").write_text("a file")
    with pytest.raises(Refused, match="intents cannot be kept"):
        Journal(tmp_path / "state" / "drills").write(ENTRY)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"drill":"d","asset":"a","scenario":"s","blows":[{"kind":"nuke"}]}'])
def test_an_entry_that_does_not_parse_is_an_error_and_not_forgotten(journal: Journal, text: str):
    journal.write(ENTRY)
    (journal.kept(ENTRY.drill) / "entry.json").write_text(text)
    with pytest.raises(DrError, match="does not parse"):
        journal.entries()


def test_two_drills_on_one_target_do_not_meet(journal: Journal):
    with journal.locked(["region one", "directory /live"]):
        with pytest.raises(Busy) as refused, journal.locked(["directory /live"]):
            pass
        with journal.locked(["region two"]):
            pass
    assert refused.value.exit_code == 7
    with journal.locked(["directory /live"]):
        pass


def test_what_a_living_drill_is_at_is_left_alone(journal: Journal):
    journal.write(ENTRY)
    with journal.locked(ENTRY.targets):
        assert undo_leftovers(journal, unused) == []
    assert journal.entries() == [ENTRY]


def test_what_cannot_be_undone_stays_and_keeps_the_next_drill_from_it(journal: Journal, tmp_path: Path):
    moved = AsideBlow(str(tmp_path / "live"), str(tmp_path / "aside"), disposable=False)
    (tmp_path / "aside").mkdir()
    fails = CommandBlow("one", "lose", ("true",), ("false",), 5.0)
    entry = Entry(ENTRY.drill, "thing", "region-lost", (moved, fails))
    journal.write(entry)
    done = undo_leftovers(journal, lambda one: Tools(lambda _: None, {}, tmp_path, journal.kept(one.drill)))
    assert (tmp_path / "live").exists(), "one that fails does not keep the others from being undone"
    assert journal.entries() == [entry]
    with pytest.raises(Refused, match="could not be undone"):
        refuse_unless_undone(done)


def test_no_secret_is_written(journal: Journal):
    journal.write(ENTRY)
    said = json.loads((journal.kept(ENTRY.drill) / "entry.json").read_text())
    assert set(said) == {"drill", "asset", "scenario", "blows"}
    fields = {name for blow in said["blows"] for name in blow}
    assert fields == {
        *("kind", "region", "name", "does", "undoes", "within_s"),
        *("path", "aside", "disposable", "draft", "key", "offset", "keys"),
    }
