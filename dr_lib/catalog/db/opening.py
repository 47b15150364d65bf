"""Opens the catalog's database, and brings its tables up to date where it may be written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from dr_lib.errors import DrError, NotFound, Refused, StoreUnavailable, UsageError

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_WAIT_S: Final = 30
REFRESH: Final = "make it with `drctl catalog refresh`, or unpause the DAG dr_freshness"


class CatalogDb:
    """The database behind a URL of SQLAlchemy's. Safe to use from many threads; holds no connection between calls."""

    def __init__(self, url: str) -> None:
        """Nothing is opened yet. `UsageError` for a URL that is none, or whose driver is not installed.

        Passwords are never part of an error.
        """
        try:
            parsed = make_url(url)
            self._label = parsed.render_as_string(hide_password=True)
            self._engine = _engine(url, is_file=parsed.get_backend_name() == "sqlite")
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
            hint = "write sqlite:////path/catalog.sqlite or postgresql+psycopg2://user:password@host/database"
            raise UsageError("this is no database URL that can be used here", where="catalog.url", hint=hint) from error
        self._file = Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction over the newest tables, which are made or migrated first; rolled back on any error.

        `StoreUnavailable` (6) when the database does not answer or another writer holds it for long, `Refused` (7)
        when a newer release made its tables.
        """
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._told(), self._engine.begin() as connection:
            if not _is_current(connection, self._label):
                _migrate(connection)
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that reads one state of the database; raises as `writing`, and `NotFound` (5) without one."""
        if self._file is not None and not self._file.exists():
            raise NotFound("there is no catalog yet", where=self._label, hint=REFRESH)
        with self._told(), self._engine.connect() as connection:
            if not _is_current(connection, self._label):
                raise NotFound("the catalog is of an older release, or empty", where=self._label, hint=REFRESH)
            yield connection

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DrError:
            raise
        except SQLAlchemyError as error:
            said = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()
            raise StoreUnavailable(
                f"the catalog's database does not answer ({(said or ['no message'])[0][:200]})",
                where=self._label,
                hint="restores, drills and verifications do not need it; see that it runs, then refresh it",
            ) from error


def _engine(url: str, *, is_file: bool) -> Engine:
    if not is_file:
        return create_engine(url, pool_pre_ping=True, pool_recycle=600)
    engine = create_engine(url, connect_args={"timeout": _WAIT_S})

    @event.listens_for(engine, "connect")
    def _prepare(connection: object, _: object) -> None:
        # Readers go on while a refresh writes.
        connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[attr-defined]

    return engine


def _is_current(connection: Connection, label: str) -> bool:
    """`Refused` for tables of a release that this one does not know."""
    scripts = ScriptDirectory.from_config(_config())
    have = MigrationContext.configure(connection).get_current_revision()
    if have is None or have == scripts.get_current_head():
        return have is not None
    known = {script.revision for script in scripts.walk_revisions()}
    if have not in known:
        raise Refused("the catalog was made by a newer release", where=label, hint="upgrade, or name another catalog")
    return False


def _migrate(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
