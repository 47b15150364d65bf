"""The whole database as a file, taken while Airflow works, and back again into an empty one."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

from dr_lib.errors import DrError, IntegrityError, StoreUnavailable, UsageError
from dr_lib.orchestrator.database import POSTGRESQL

DUMP: Final = "database.dump"
FILE: Final = "database.sqlite"
_PROGRAMS: Final = Path("/usr/lib/postgresql")
_MISSING: Final = "Debian: apt install postgresql-client; it must not be older than the server"


def dump(url: URL, folder: Path) -> Path:
    """The database as one consistent file in `folder`: PostgreSQL by pg_dump, SQLite by its online backup.

    The dump is not compressed: the vault does that, and finds what did not change. `StoreUnavailable` (6) where it
    cannot be taken now, `UsageError` (2) without pg_dump.
    """
    if url.get_backend_name() == POSTGRESQL:
        made = folder / DUMP
        _run("pg_dump", url, ["--format=custom", "--compress=0", "--no-owner", "--no-privileges", f"--file={made}"])
        return made
    made = folder / FILE
    _copy_sqlite(Path(str(url.database)), made)
    return made


def load(made: Path, url: URL) -> None:
    """Put a dump into the empty database behind `url`: all of it, or nothing.

    `IntegrityError` (4) for a dump that is none or is damaged, `UsageError` for another kind of database.
    """
    if (made.name == DUMP) != (url.get_backend_name() == POSTGRESQL):
        kind = "PostgreSQL" if made.name == DUMP else "SQLite"
        raise UsageError(f"the database that was saved is one of {kind}", hint=f"name an empty database of {kind}")
    if made.name == FILE:
        _restore_sqlite(made, Path(str(url.database)))
        return
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", f"--dbname={url.database}"]
    _run("pg_restore", url, [*options, str(made)], damaged=IntegrityError)


def _copy_sqlite(source: Path, target: Path) -> None:
    if not source.is_file():
        raise StoreUnavailable(
            "the database's file is not there", where=str(source), hint="see `orchestrator.database`"
        )
    try:
        with sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=60) as live:
            with sqlite3.connect(target) as copy:
                live.backup(copy, pages=-1)
                copy.execute("PRAGMA journal_mode=DELETE")  # one file, however the live one works
            copy.close()
        live.close()
    except sqlite3.Error as error:
        raise StoreUnavailable(f"the database could not be copied ({error})", where=str(source)) from error


def _restore_sqlite(made: Path, target: Path) -> None:
    with sqlite3.connect(f"{made.absolute().as_uri()}?mode=ro", uri=True) as saved:
        try:
            [(said,)] = saved.execute("PRAGMA quick_check")
        except (sqlite3.Error, ValueError) as error:
            raise IntegrityError(f"the saved database cannot be read ({error})", where=str(made)) from error
    saved.close()
    if said != "ok":
        raise IntegrityError(f"the saved database is damaged ({said})", where=str(made))
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    shutil.copyfile(made, partial)
    partial.chmod(0o600)
    partial.rename(target)


def _run(name: str, url: URL, arguments: list[str], *, damaged: type[DrError] = StoreUnavailable) -> None:
    """Run a program of PostgreSQL's; the password travels in its environment, never among its arguments."""
    command = [program(name), *arguments]
    done = subprocess.run(command, env=_environ(url), capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        lines = [line for line in done.stderr.strip().splitlines() if line] or [f"exit code {done.returncode}"]
        kind = StoreUnavailable if "connection to server" in done.stderr else damaged
        label = url.render_as_string(hide_password=True)
        raise kind(f"{name} failed: {lines[-1][:300]}", where=label, hint=_hint(done.stderr))


def _hint(said: str) -> str | None:
    return _MISSING if "server version mismatch" in said or "unsupported version" in said else None


def _environ(url: URL) -> Mapping[str, str]:
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PGSSLMODE", "PGSSLROOTCERT") if name in os.environ
    }
    given = {
        "PGHOST": url.host or "", "PGPORT": str(url.port or ""), "PGUSER": url.username or "",
        "PGPASSWORD": str(url.password or ""), "PGDATABASE": url.database or "", "PGCONNECT_TIMEOUT": "10",
    }  # fmt: skip
    return kept | {name: value for name, value in given.items() if value}


def program(name: str) -> str:
    """The newest of that name that is installed."""
    installed = sorted(_PROGRAMS.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4].partition(".")[0] or 0))
    found = str(installed[-1]) if installed else shutil.which(name)
    if found is None:
        raise UsageError(f"{name} is not installed here", hint=_MISSING)
    return found
