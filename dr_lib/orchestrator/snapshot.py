"""The orchestrator as a directory: everything that it takes to bring it back, and nothing else.

It holds secrets in clear, so that it is made for a backup alone and removed behind it.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import dr_lib
from dr_lib.errors import DrError, IntegrityError, UsageError
from dr_lib.format.canonical import time_text
from dr_lib.model.orchestrator import FERNET_KEY, DatabaseFacts, InFlight, OrchestratorPolicy
from dr_lib.orchestrator import database, dumping, environment, secrets

FACTS: Final = "orchestrator.json"
CONNECTIONS: Final = "connections.json"
VARIABLES: Final = "variables.json"
SETTINGS: Final = "settings.json"
REQUIREMENTS: Final = "requirements.txt"
CONFIG: Final = "config"
CODE: Final = "code"
CATALOG: Final = "catalog"
DAGS, PLUGINS = "dags", "plugins"
FORMAT: Final = 1
_PASSED_OVER: Final = shutil.ignore_patterns("__pycache__", "*.pyc", ".git", ".venv", ".dr-state", "logs")


def gather(
    folder: Path, policy: OrchestratorPolicy, url: str, settings: Mapping[str, str], config: Path, now: datetime
) -> dict[str, Any]:
    """Fill `folder`, which is made anew and is for its owner alone; what stands in `orchestrator.json`.

    `settings` are Airflow's (`AIRFLOW__SECTION__KEY`), the Fernet key among them. Raises as `dumping.dump`,
    `UsageError` (2) where a secret does not open.
    """
    clear(folder)
    folder.mkdir(mode=0o700, parents=True)
    where = database.address(url)
    with database.connected(where) as connection:
        key = settings.get(FERNET_KEY, "")
        _write(folder / CONNECTIONS, secrets.connections(connection, key))
        _write(folder / VARIABLES, secrets.variables(connection, key))
        facts = database.facts_of(connection, where.get_backend_name())
    dumping.dump(where, folder)
    found = environment.packages()
    (folder / REQUIREMENTS).write_text(environment.requirements(found), encoding="utf-8")
    _write(folder / SETTINGS, {**settings, DATABASE: url})
    _copy_code(folder, policy, config)
    said = {
        "format": FORMAT,
        "taken_at": time_text(now),
        "versions": environment.versions(found),
        "database": {**asdict(facts), "where": where.render_as_string(hide_password=True)},
        "url": settings.get("AIRFLOW__API__BASE_URL", ""),
        "host": platform.node(),
    }
    _write(folder / FACTS, said)
    return said


def save_catalog(folder: Path, find_url: Callable[[], str]) -> None:
    """Add the catalog, where there is one that can be read: it can be made anew from any vault, but for what people
    were alarmed about."""
    place = folder / CATALOG
    place.mkdir()
    try:
        dumping.dump(database.address(find_url()), place)
    except DrError as error:
        (place / "not-saved.txt").write_text(f"{error.what}\n", encoding="utf-8")


DATABASE: Final = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


def clear(folder: Path) -> None:
    """Remove what is there, of which nothing may be left lying about."""
    if folder.is_symlink():
        raise UsageError("the place for the snapshot is a link", where=str(folder), hint="remove it")
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise UsageError("what is left of an earlier snapshot cannot be removed", where=str(folder))


def read_facts(folder: Path) -> dict[str, Any]:
    """What a restored snapshot says of itself; `IntegrityError` (4) where it is none."""
    try:
        said: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        known = said["format"] == FORMAT and said["versions"]["airflow"] is not None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError("this point is no orchestrator's", where=str(folder / FACTS)) from error
    if not known:
        raise IntegrityError(f"a snapshot of format {said['format']!r}", where=FACTS, hint="use a newer drctl")
    return said


def database_facts(said: Mapping[str, Any]) -> DatabaseFacts:
    """What was in the database when it was saved."""
    found = said["database"]
    flying = tuple(InFlight(one["dag"], one["run"], one["state"], tuple(one["tasks"])) for one in found["in_flight"])
    return DatabaseFacts(found["kind"], dict(found["revisions"]), dict(found["counts"]), tuple(found["awake"]), flying)


def read_settings(folder: Path) -> dict[str, str]:
    """Airflow's settings as they were, secrets included."""
    return {str(k): str(v) for k, v in json.loads((folder / SETTINGS).read_text(encoding="utf-8")).items()}


def dump_of(folder: Path) -> Path:
    """The saved database."""
    made = folder / dumping.DUMP
    return made if made.exists() else folder / dumping.FILE


def _copy_code(folder: Path, policy: OrchestratorPolicy, config: Path) -> None:
    code, beside = folder / CODE, folder / CONFIG
    for name, source in ((DAGS, policy.dags), (PLUGINS, policy.plugins), ("dr_lib", Path(dr_lib.__file__).parent)):
        if source is not None:
            _copy_tree(source, code / name)
    beside.mkdir()
    shutil.copyfile(config, beside / "dr.yaml")
    for file in policy.files:
        target = beside / file.relative_to(config.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def _copy_tree(source: Path, target: Path) -> None:
    if not source.is_dir():
        raise UsageError("this folder is not there", where=str(source), hint="correct `orchestrator:` in dr.yaml")
    # What links lead to is copied: a folder that is kept in step with a repository is often made of links that lead out
    # of it, and no backup takes those.
    try:
        shutil.copytree(source, target, ignore=_PASSED_OVER, ignore_dangling_symlinks=True)
    except OSError as error:
        hint = "see that all of it can be read, and that no link in it leads in a circle"
        raise UsageError(f"this folder cannot be copied: {str(error)[:200]}", where=str(source), hint=hint) from error


def _write(path: Path, value: Any) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(value, indent=1, sort_keys=True), encoding="utf-8")
