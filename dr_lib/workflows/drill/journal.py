"""What drills are about to do to the world, written down before they do it, so that whoever comes next can undo it.

A folder an entry: `entry.json` is written first and removed last but one; what an undoing needs beside it is kept in
the same folder. Files are their owner's alone and hold no secret. Who holds the locks of an entry's targets is the
drill that made it, or who undoes it; the system drops the locks of a process that dies.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from dr_lib.errors import DrError, Refused
from dr_lib.workflows.drill.blows.aside import AsideBlow
from dr_lib.workflows.drill.blows.blow import Blow
from dr_lib.workflows.drill.blows.commands import CommandBlow
from dr_lib.workflows.drill.blows.encrypted import EncryptedBlow
from dr_lib.workflows.drill.blows.objects import DamagedBlow, DeletedBlow
from dr_lib.workflows.drill.durable import sync_directory, write

_KINDS: Final[dict[str, Any]] = {
    "command": CommandBlow,
    "aside": AsideBlow,
    "encrypted": EncryptedBlow,
    "damaged": DamagedBlow,
    "deleted": DeletedBlow,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}
_ENTRY: Final = "entry.json"
_LOCKS: Final = "locks"


class Busy(Refused):
    """Another drill is at work on the same target."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a drill is about to do; `blows` in the order in which they are dealt."""

    drill: str
    asset: str
    scenario: str
    blows: tuple[Blow, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """What it hits."""
        return tuple(sorted({blow.target for blow in self.blows}))


@dataclass(frozen=True, slots=True)
class Journal:
    """The entries in `folder`, which is made when it is first needed."""

    folder: Path

    def write(self, entry: Entry) -> None:
        """Durable on return. `Refused` (7) where the folder cannot be written."""
        try:
            with self._turn():
                self.kept(entry.drill).mkdir(mode=0o700, parents=True, exist_ok=True)
                sync_directory(self.folder)
                write(self.kept(entry.drill) / _ENTRY, _dumped(entry))
        except OSError as error:
            hint = "set DR_STATE_DIR to a directory of this user"
            raise Refused(f"intents cannot be kept: {error.strerror}", where=str(self.folder), hint=hint) from error

    def entries(self) -> list[Entry]:
        """Every entry, oldest first; `DrError` (1) for one that does not parse."""
        found = []
        for folder in sorted(self.folder.glob("*Z-*")):
            try:
                found.append(_loaded(folder / _ENTRY))
            except FileNotFoundError:
                continue  # not written yet, or done; a living drill may be at it
        return found

    def sweep(self) -> None:
        """Remove what a crash left of entries that were never written, or are done."""
        if not self.folder.is_dir():
            return
        with self._turn():
            for folder in self.folder.glob("*Z-*"):
                if not (folder / _ENTRY).exists():
                    shutil.rmtree(folder, ignore_errors=True)

    def remove(self, entry: Entry) -> None:
        """Forget an entry that is undone; safe to repeat."""
        (self.kept(entry.drill) / _ENTRY).unlink(missing_ok=True)
        shutil.rmtree(self.kept(entry.drill), ignore_errors=True)

    def kept(self, drill: str) -> Path:
        """Where the undoing of a drill finds what it needs."""
        return self.folder / drill

    def has(self, entry: Entry) -> bool:
        """Whether it is still to be undone."""
        return (self.kept(entry.drill) / _ENTRY).exists()

    @contextmanager
    def locked(self, targets: Sequence[str]) -> Iterator[None]:
        """Keeps other drills from the targets while the block runs; `Refused` (7) when one is at them."""
        with ExitStack() as held:
            for target in targets:
                held.enter_context(self._lock(target))
            yield

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One at a time writes or sweeps; others wait, for a moment."""
        descriptor = self._opened("turn")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _opened(self, name: str) -> int:
        folder = self.folder / _LOCKS
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)

    @contextmanager
    def _lock(self, target: str) -> Iterator[None]:
        descriptor = self._opened(hashlib.sha256(target.encode()).hexdigest()[:24])
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            hint = "wait until it has ended"
            raise Busy("another drill is at work here", where=target, hint=hint) from None
        finally:
            os.close(descriptor)


def _dumped(entry: Entry) -> bytes:
    blows = [{"kind": _NAMES[type(blow)], **asdict(blow)} for blow in entry.blows]  # type: ignore[call-overload]
    facts = {"drill": entry.drill, "asset": entry.asset, "scenario": entry.scenario, "blows": blows}
    return json.dumps(facts, indent=1).encode()


def _loaded(path: Path) -> Entry:
    text = path.read_bytes()
    try:
        facts = json.loads(text)
        blows = tuple(_blow(dict(blow)) for blow in facts["blows"])
        return Entry(facts["drill"], facts["asset"], facts["scenario"], blows)
    except (ValueError, KeyError, TypeError) as error:
        hint = "look at it: it says what an earlier drill did; undo that by hand and remove it"
        raise DrError(f"a drill's journal does not parse: {error!r}", where=str(path), hint=hint) from error


def _blow(facts: dict[str, Any]) -> Blow:
    kind = _KINDS[facts.pop("kind")]
    blow: Blow = kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()})
    return blow
