"""The directory in which an orchestrator is brought back, and how far that got.

recovery.json   the journal: what was decided and what is done
restored/       the point, as it was saved
dr.yaml         as it was, with the keys that are here now
keys/           those keys that were saved along, if any
airflow/        AIRFLOW_HOME
airflow.env     Airflow's settings, one `NAME=value` a line, for its owner alone
airflow.sh      runs any command of Airflow with them
state/          what `drctl` keeps (DR_STATE_DIR)
env/            the packages, where those of this Python are others
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dr_lib.errors import NotFound, Refused, UsageError

JOURNAL: Final = "recovery.json"
_OWN: Final = {JOURNAL, "lock", "bare.json", "bare.json.part", f"{JOURNAL}.part"}


@dataclass(frozen=True, slots=True)
class Home:
    """The directory."""

    folder: Path

    @property
    def restored(self) -> Path:
        """The saved orchestrator, as a restore left it."""
        return self.folder / "restored"

    @property
    def config(self) -> Path:
        """The dr.yaml that is in force here."""
        return self.folder / "dr.yaml"

    @property
    def airflow(self) -> Path:
        """Airflow's own home."""
        return self.folder / "airflow"

    @property
    def state(self) -> Path:
        """What `drctl` keeps."""
        return self.folder / "state"

    @property
    def database(self) -> Path:
        """Where a SQLite database goes unless somebody names another place."""
        return self.airflow / "airflow.db"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else works here meanwhile; `Refused` (7) where somebody does, or where other things lie."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"it cannot be made: {error.strerror}", where=str(self.folder)) from error
        if not (self.folder / JOURNAL).exists() and {path.name for path in self.folder.iterdir()} - _OWN:
            raise Refused("other things lie here", where=str(self.folder), hint="name a directory that is empty")
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Refused("another recovery works here", where=str(self.folder), hint="wait for it") from error
            yield

    def journal(self) -> dict[str, Any]:
        """How far it got; empty before anything was done."""
        try:
            found: dict[str, Any] = json.loads((self.folder / JOURNAL).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            hint = "name another directory: what was done is in the vault and the database"
            raise UsageError(
                "the journal of this recovery cannot be read", where=str(self.folder), hint=hint
            ) from error
        return found

    def note(self, **facts: Any) -> dict[str, Any]:
        """Add to the journal, durably; what stands in it now."""
        found = self.journal() | facts
        write_private(self.folder / JOURNAL, json.dumps(found, indent=1, sort_keys=True))
        return found

    def must_be_recovered(self) -> dict[str, Any]:
        """The journal of a recovery that is through; `NotFound` (5) where there is none."""
        found = self.journal()
        if "ready_at" not in found:
            raise NotFound(
                "no orchestrator was recovered here, or not to the end",
                where=str(self.folder),
                hint="drctl recover --vault URL --key FILE --to DIR",
            )
        return found


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner alone: all of it, or what was there before."""
    partial = path.with_name(path.name + ".part")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    partial.rename(path)


def write_environment(home: Home, settings: Mapping[str, str], python: Path) -> None:
    """The settings, and the program that runs Airflow with them."""
    lines = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(settings.items()))
    write_private(home.folder / "airflow.env", lines)
    program = home.folder / "airflow.sh"
    program.write_text(
        "#!/bin/sh\n# Runs a command of the recovered Airflow: airflow.sh scheduler\n"
        f"set -a\n. {shlex.quote(str(home.folder / 'airflow.env'))}\nset +a\n"
        f'exec {shlex.quote(str(python))} -m airflow "$@"\n',
        encoding="utf-8",
    )
    program.chmod(0o700)


def read_environment(home: Home) -> dict[str, str]:
    """The settings, as they were written."""
    words = shlex.split((home.folder / "airflow.env").read_text(encoding="utf-8"))
    return dict(word.split("=", 1) for word in words if "=" in word)
