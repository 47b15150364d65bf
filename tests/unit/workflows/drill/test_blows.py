"""Every blow of a drill really lands, and is undone from wherever a kill -9 ended it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dr_lib.errors import IntegrityError, NotFound, Refused
from dr_lib.storage.local import LocalStore
from dr_lib.workflows.drill.blows.aside import AsideBlow
from dr_lib.workflows.drill.blows.blow import Blow, Tools
from dr_lib.workflows.drill.blows.commands import CommandBlow
from dr_lib.workflows.drill.blows.encrypted import MARK, EncryptedBlow
from dr_lib.workflows.drill.blows.objects import DamagedBlow, DeletedBlow
from dr_lib.workflows.drill.journal import Entry, Journal
from dr_lib.workflows.drill.undo import undo_entry, undo_leftovers
from tests.faults.dying import DONE, FAILED, dies_before

DRILL = "20261126T180000000000Z-0a1b2c3d"
PACK = bytes(range(256)) * 40
PACK_KEY = f"packs/ab/{hashlib.sha256(PACK).hexdigest()}"
POINTS = tuple(f"points/thing/p{number}.manifest" for number in range(3))


@dataclass(frozen=True)
class Ground:
    """A region that is a directory, live data, and a cache."""

    folder: Path

    @property
    def source(self) -> Path:
        return self.folder / "live" / "model"

    @property
    def store(self) -> LocalStore:
        return LocalStore(self.folder / "region", "region one")

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / "state" / "drills")

    def tools(self, entry: Entry) -> Tools:
        environ = {"PATH": "/usr/bin:/bin"}
        return Tools(lambda _: self.store, environ, self.folder, self.journal.kept(entry.drill))

    def contents(self) -> dict[str, bytes | None]:
        """Every file but the journal's, and every directory."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            name = str(path.relative_to(self.folder))
            if not name.startswith(("state", "region/.dr-incoming")):
                found[name] = path.read_bytes() if path.is_file() else None
        return found


def aside(ground: Ground) -> Blow:
    return AsideBlow(str(ground.source), f"{ground.source}.lost-{DRILL}", disposable=False)


def encrypted(ground: Ground) -> Blow:
    return EncryptedBlow(str(ground.source), f"{ground.source}.lost-{DRILL}", f"{ground.source}.encrypted-{DRILL}")


def damaged(_: Ground) -> Blow:
    return DamagedBlow("one", PACK_KEY, 5000)


def deleted(_: Ground) -> Blow:
    return DeletedBlow("one", POINTS)


def command(ground: Ground) -> Blow:
    here, there = ground.folder / "region", ground.folder / "region.gone"
    back = ("sh", "-c", f"test -d '{here}' || mv '{there}' '{here}'")
    return CommandBlow("one", "lose", ("mv", str(here), str(there)), back, 20.0)


BLOWS = [aside, encrypted, damaged, deleted, command]
EVERY = pytest.mark.parametrize("make", BLOWS, ids=lambda make: make.__name__)
Make = Callable[[Ground], Blow]


@pytest.fixture
def ground(tmp_path) -> Ground:
    made = Ground(tmp_path / "ground")
    (made.source / "sub").mkdir(parents=True)
    (made.source / "weights").write_bytes(b"w" * 10_000)
    (made.source / "sub" / "config.json").write_bytes(b"{}")
    (made.folder / "region").mkdir()
    made.store.create(PACK_KEY, PACK)
    for key in POINTS:
        made.store.create(key, key.encode())
    return made


def entry_of(*blows: Blow) -> Entry:
    return Entry(DRILL, "thing", "some-scenario", blows)


def rehearse(ground: Ground, blow: Blow) -> None:
    """What a drill does around its recovery."""
    entry = entry_of(blow)
    with ground.journal.locked(entry.targets):
        ground.journal.write(entry)
        blow.strike(ground.tools(entry))
        assert undo_entry(entry, ground.journal, ground.tools(entry)).failed is None


@EVERY
def test_it_lands_and_is_undone(ground: Ground, make: Make):
    before, blow = ground.contents(), make(ground)
    tools = ground.tools(entry_of(blow))
    ground.journal.write(entry_of(blow))
    assert blow.strike(tools)
    assert ground.contents() != before
    assert blow.undo(tools) is None
    assert ground.contents() == before


@EVERY
def test_undoing_what_never_was_and_undoing_twice_changes_nothing(ground: Ground, make: Make):
    before, blow = ground.contents(), make(ground)
    tools = ground.tools(entry_of(blow))
    ground.journal.write(entry_of(blow))
    blow.undo(tools)
    assert ground.contents() == before
    blow.strike(tools)
    blow.undo(tools)
    blow.undo(tools)
    assert ground.contents() == before


@EVERY
def test_killed_before_any_of_its_steps_the_next_one_undoes_it(ground: Ground, make: Make):
    before = ground.contents()
    for step in itertools.count(1):
        outcome = dies_before(step, lambda: rehearse(ground, make(ground)))
        assert outcome != FAILED
        left = [one.failed for one in undo_leftovers(ground.journal, ground.tools)]
        assert left in ([], [None])
        assert ground.contents() == before, f"killed before step {step}"
        assert ground.journal.entries() == []
        if outcome == DONE:
            break
    assert step > 3


@EVERY
def test_an_undoing_that_is_killed_is_finished_by_the_next(ground: Ground, make: Make):
    before, entry = ground.contents(), entry_of(make(ground))
    for step in itertools.count(1):
        ground.journal.write(entry)
        entry.blows[0].strike(ground.tools(entry))
        outcome = dies_before(step, lambda: undo_leftovers(ground.journal, ground.tools))
        undo_leftovers(ground.journal, ground.tools)
        assert ground.contents() == before, f"killed before step {step}"
        if outcome == DONE:
            break


def test_encrypted_data_is_of_no_use_and_says_what_it_is(ground: Ground):
    encrypted(ground).strike(ground.tools(entry_of()))
    found = (ground.source / "weights").read_bytes()
    assert found.startswith(MARK)
    assert b"wwww" not in found
    assert len(found) == 10_000 + len(MARK)


@pytest.mark.parametrize("make", [aside, encrypted], ids=lambda make: make.__name__)
def test_what_came_into_the_place_of_the_live_data_is_kept(ground: Ground, make: Make):
    blow, tools = make(ground), ground.tools(entry_of())
    blow.strike(tools)
    ground.source.mkdir(exist_ok=True)
    (ground.source / "checkpoint").write_bytes(b"written meanwhile")
    note = blow.undo(tools)
    assert (ground.source / "weights").read_bytes() == b"w" * 10_000
    assert not (ground.source / "checkpoint").exists()
    kept = next(path for path in ground.source.parent.rglob("checkpoint"))
    assert kept.read_bytes() == b"written meanwhile"
    assert str(kept.parent) in note


def test_what_came_into_the_place_of_a_cache_is_worth_nothing(ground: Ground):
    blow = AsideBlow(str(ground.source), f"{ground.source}.lost", disposable=True)
    blow.strike(ground.tools(entry_of()))
    ground.source.mkdir()
    assert blow.undo(ground.tools(entry_of())) is None
    assert [path.name for path in ground.source.parent.iterdir()] == ["model"]


def test_a_pack_that_somebody_else_damaged_is_not_called_undone(ground: Ground):
    store = ground.store
    store.replace(PACK_KEY, b"rotten", store.head(PACK_KEY).tag)
    with pytest.raises(IntegrityError, match="not by the drill"):
        damaged(ground).undo(ground.tools(entry_of()))
    with pytest.raises(IntegrityError, match="damaged already"):
        damaged(ground).strike(ground.tools(entry_of()))


def test_another_object_in_the_place_of_a_deleted_one_is_not_overwritten(ground: Ground):
    blow, entry = deleted(ground), entry_of(deleted(ground))
    ground.journal.write(entry)
    blow.strike(ground.tools(entry))
    with pytest.raises(NotFound):
        ground.store.get(POINTS[1])
    ground.store.create(POINTS[1], b"another")
    with pytest.raises(IntegrityError, match="another object"):
        blow.undo(ground.tools(entry))
    assert ground.store.get(POINTS[1]) == b"another"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("sh", "-c", "echo no such instance >&2; exit 3"), "exit code 3: no such instance"),
        (("no-such-program",), "exit code 127: no-such-program"),
        (("tail", "-f", "/dev/null"), "not done in 1 s"),
    ],
    ids=["fails", "missing", "hangs"],
)
def test_a_command_that_does_not_do_it_is_told(ground: Ground, argv, words):
    blow = CommandBlow("one", "lose", argv, argv, 1.0)
    with pytest.raises(Refused, match=words):
        blow.strike(ground.tools(entry_of()))


def test_a_shell_sees_nothing_of_a_command(ground: Ground):
    blow = CommandBlow("one", "lose", ("touch", str(ground.folder / "$HOME; rm -rf x")), ("true",), 5.0)
    blow.strike(ground.tools(entry_of()))
    assert (ground.folder / "$HOME; rm -rf x").exists()
