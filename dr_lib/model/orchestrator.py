"""The orchestrator as a thing to protect: Airflow with all that it knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

NAME: Final = "orchestrator"
"""Of the asset that it is, in every configuration that protects it."""
TERM_VARIABLE: Final = "dr_term"
"""The Airflow variable that holds the number of the term of this Airflow."""
FERNET_KEY: Final = "AIRFLOW__CORE__FERNET_KEY"
"""The setting with which Airflow encrypts connections and variables."""


@dataclass(frozen=True, slots=True)
class OrchestratorPolicy:
    """Where what belongs to it lies.

    `database` is a reference (`env:NAME`, `file:PATH`) to its URL, `rehearsal` one to that of an empty database, for
    drills. Folders are None where they are not saved. `queue` is that of the tasks that save it. `saves_keys`: the
    writer key and the signing key are part of it, so that who can read it can sign.
    """

    database: str
    dags: Path | None
    plugins: Path | None
    files: tuple[Path, ...] = ()
    rehearsal: str | None = None
    queue: str | None = None
    saves_keys: bool = False


@dataclass(frozen=True, slots=True)
class InFlight:
    """A run that had not ended: what it was, in which state, and its tasks that were at work."""

    dag: str
    run: str
    state: str
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What a metadata database is and holds. `revisions` are its migrations by the table that names them; `counts` rows
    by table. `awake` are the DAGs that are not paused."""

    kind: str
    revisions: dict[str, str]
    counts: dict[str, int]
    awake: tuple[str, ...]
    in_flight: tuple[InFlight, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """Who runs the schedules of a set of vaults, since when.

    `recovered_from` is the point that it was recovered from, empty for the first one; `url` is where its Airflow
    answers, if it told; `gone` is when a person said go, None before.
    """

    number: int
    holder: str
    since: datetime
    recovered_from: str = ""
    url: str = ""
    gone: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether nothing may run or be deleted yet."""
        return bool(self.recovered_from) and self.gone is None
