"""Private directories that name the process they belong to, so that what a killed one left behind can be removed.

A directory is made under a name that states its owner and is renamed into place with `owner.json` inside; it is
renamed back to such a name before it is removed. There is no moment at which a kill leaves one without an owner.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from dr_lib.errors import AlreadyExists, Refused

OWNER = "owner.json"
# The start time of a process is derived from the clock, which the system may set while the process runs.
_CLOCK_SLACK_MS = 2000


@dataclass(frozen=True, slots=True)
class Owner:
    """A process: its machine, id, and start in milliseconds since 1970 (ids are used again, starts are not)."""

    host: str
    pid: int
    started_ms: int

    @classmethod
    def ours(cls) -> Owner:
        """This process."""
        return cls(_host(), os.getpid(), _started_ms(psutil.Process()))

    def text(self) -> str:
        """As one word, for a label."""
        return f"{self.host}/{self.pid}/{self.started_ms}"

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """The inverse of `text`; None for what is none."""
        found = re.fullmatch(r"([A-Za-z0-9._]+)/(\d{1,10})/(\d{1,15})", text.strip())
        return None if found is None else cls(found[1], int(found[2]), int(found[3]))

    def is_dead(self) -> bool:
        """True only when it ran on this machine and runs no more; of other machines nothing is known."""
        if self.host != _host():
            return False
        try:
            found = _started_ms(psutil.Process(self.pid))
        except psutil.NoSuchProcess:
            return True
        return abs(found - self.started_ms) > _CLOCK_SLACK_MS


def create_owned(directory: Path) -> None:
    """Make `directory` (mode 0700) with our owner file in it, atomically.

    Raises `AlreadyExists` when the name is taken, `Refused` when nothing can be made there.
    """
    made = directory.parent / _transient_name()
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        made.mkdir(mode=0o700)
        (made / OWNER).write_text(json.dumps(asdict(Owner.ours())))
    except OSError as error:
        raise Refused(f"cannot make a standby directory ({error.strerror})", where=str(directory)) from error
    try:
        made.rename(directory)
    except OSError as error:
        remove_owned(made)
        hint = "choose another directory, or wait until its drill ends"
        raise AlreadyExists("the standby directory is taken", where=str(directory), hint=hint) from error


def remove_owned(directory: Path) -> None:
    """Remove the directory and all in it, whatever its modes; nothing happens when it is not there."""
    gone = directory.parent / _transient_name()
    try:
        directory.rename(gone)
    except FileNotFoundError:
        return
    _remove_tree(gone)


def sweep(parent: Path) -> tuple[Path, ...]:
    """Remove standby directories directly under `parent` whose process is dead; returns what was removed.

    Touches nothing else: a directory without a readable owner, or with one that lives or is on another machine, stays.
    """
    leftover = [path for path in sorted(parent.glob("*")) if _is_leftover(path)]
    return tuple(path for path in leftover if _removed(path))


def _removed(directory: Path) -> bool:
    # Another sweep may remove it at the same time, or an orphan of the dead process still write: the next one sees it.
    try:
        _remove_tree(directory)
    except OSError:
        return False
    return True


def _is_leftover(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        return False
    owner = _owner_in_name(path.name) or _owner_inside(path)
    return owner is not None and owner.is_dead()


def _owner_inside(path: Path) -> Owner | None:
    try:
        return Owner(**json.loads((path / OWNER).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _transient_name() -> str:
    owner = Owner.ours()
    return f".standby-{owner.host}-{owner.pid}-{owner.started_ms}-{secrets.token_hex(4)}"


def _owner_in_name(name: str) -> Owner | None:
    found = re.fullmatch(r"\.standby-(.+)-(\d+)-(\d+)-[0-9a-f]{8}", name)
    return None if found is None else Owner(found[1], int(found[2]), int(found[3]))


def _remove_tree(directory: Path) -> None:
    # A restored directory keeps its mode, and one without write permission cannot be emptied by its owner.
    for parent, names, _files in os.walk(directory):
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(directory)


def _started_ms(process: psutil.Process) -> int:
    return int(process.create_time() * 1000)


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9.]", "_", socket.gethostname()) or "localhost"
