"""Bringing the orchestrator itself back, on a machine that has this program, a vault's address and a key.

Every step may be repeated: a recovery that was killed goes on when its command is given again.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import yaml
from sqlalchemy.engine import URL

from dr_lib.clock import utc_now
from dr_lib.errors import DrError, IntegrityError, Refused, UsageError
from dr_lib.format.canonical import parse_time, time_text
from dr_lib.model.orchestrator import FERNET_KEY, NAME, Term
from dr_lib.orchestrator import database, dumping, environment, secrets, snapshot
from dr_lib.orchestrator.home import Home, write_environment, write_private
from dr_lib.orchestrator.stilling import still, wake
from dr_lib.progress import SILENT, Progress
from dr_lib.runtime import Runtime
from dr_lib.storage.credentials import Credentials
from dr_lib.telemetry import workflow
from dr_lib.use_cases.bare_vault import Address, bare_config
from dr_lib.use_cases.orchestrating import MARKER
from dr_lib.wiring import STATE

Document = dict[str, Any]
GO: Final = "drctl recover --go --to"
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_SETTING: Final = re.compile(r"AIRFLOW__[A-Z0-9_]+")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be brought back from where, into which directory.

    `database` is a reference (`env:NAME`, `file:PATH`) to the URL of an empty database; None for a file of SQLite's.
    `packages`: `install` those that were pinned where others are here, or work with those that are `here`. `executor`
    takes the place of the one that was, whose workers may be gone. `starts`: Airflow is started at the end.
    """

    vault: Address
    folder: Path
    point: str = "latest"
    database: str | None = None
    packages: Literal["install", "here"] = "install"
    port: int = 8080
    executor: str | None = None
    starts: bool = True


@workflow("recover")
def recover(order: Order, environ: Mapping[str, str] | None = None, progress: Progress = SILENT) -> Document:
    """Bring the orchestrator back, so that nothing runs by itself and nothing is deleted before `go`.

    `Refused` (7): the old one lives, another Airflow's version is here, the database is not empty, somebody else took
    the term. `IntegrityError` (4) for a point that is damaged, or is not what it says. `UsageError` (2) for a key,
    credentials or a database that is not given.
    """
    home, surroundings = Home(order.folder.absolute()), dict(os.environ if environ is None else environ)
    with home.locked():
        return _Recovery(order, home, surroundings).run(progress)


def go(folder: Path, reason: str, environ: Mapping[str, str] | None = None) -> Document:
    """Let the recovered orchestrator work: the vaults learn of it, and the DAGs that were awake are unpaused.

    Safe to repeat. `NotFound` (5) where nothing was recovered.
    """
    home, surroundings = Home(folder.absolute()), dict(os.environ if environ is None else environ)
    home.must_be_recovered()
    with home.locked():
        done = home.must_be_recovered()
        runtime = _runtime(home, surroundings)
        at = utc_now()
        runtime.let_work(int(done["term"]), at, reason)
        with database.connected(_database_url(home)) as connection:
            woken = wake(connection, done["awake"])
        home.note(go_at=time_text(at), reason=reason)
    return {"term": done["term"], "at": time_text(at), "unpaused": woken, "dags": done["awake"]}


def stop(folder: Path) -> Document:
    """End the processes that a recovery started."""
    from dr_lib.orchestrator import processes

    home = Home(folder.absolute())
    home.must_be_recovered()
    with home.locked():
        return {"ended": processes.stop(home)}


@dataclass(frozen=True)
class _Recovery:
    order: Order
    home: Home
    environ: dict[str, str]

    def run(self, progress: Progress) -> Document:
        self._restore(progress)
        said = snapshot.read_facts(self.home.restored)
        settings = snapshot.read_settings(self.home.restored)
        self._refuse_other_version(said)
        self._furnish(settings)
        runtime = _runtime(self.home, self.environ)
        self._refuse_alive(said, settings, runtime)
        python = self._packages()
        url = self._database(runtime)
        self._refuse_full(url)
        term = self._term(runtime)
        write_environment(self.home, self._airflow_settings(settings, url), python)
        self._fill(url, said, term)
        checked = self._check(url, said, settings)
        catalog = self._catalog(runtime)
        journal = self.home.note(ready_at=time_text(utc_now()), catalog=catalog)
        if self.order.starts:
            from dr_lib.orchestrator import processes

            processes.start(self.home, self._url())
        return self._document(said, journal, checked)

    def _restore(self, progress: Progress) -> None:
        """The point, proven byte for byte, in `restored/`."""
        journal = self.home.journal()
        place = {"vault": self.order.vault.url}
        if journal and journal["vault"] != place["vault"]:
            hint = "name another directory, or the same vault"
            raise Refused(
                f"a recovery from {journal['vault']} is under way here", where=str(self.home.folder), hint=hint
            )
        if "restored_at" in journal:
            return
        bare = bare_config(self.order.vault, NAME, "dataset", self.environ)
        config = self.home.folder / "bare.json"
        write_private(config, bare.text)
        self.home.note(**place, signers=list(bare.signers))
        runtime = Runtime.load(config, environ=self.environ)
        if "point" not in journal:
            plan = runtime.plan_restore(NAME, point=self.order.point)
            journal = self.home.note(point=plan["point"], region=plan["region"])
        if not self.home.restored.exists():  # it appears whole, or not at all
            runtime.restore(NAME, str(self.home.restored), point=journal["point"], progress=progress)
        self.home.note(restored_at=time_text(utc_now()))

    def _refuse_other_version(self, said: Mapping[str, Any]) -> None:
        """A database fits the version of Airflow that migrated it last."""
        wanted, here = said["versions"]["airflow"], environment.versions(environment.packages())["airflow"]
        if self.order.packages == "here" and wanted != here:
            raise Refused(
                f"the database is one of Airflow {wanted}, and Airflow {here or 'of no version'} is here",
                where=str(self.home.restored),
                hint="leave `--packages here` out, so that the packages that were pinned are installed; connections "
                "and variables can be taken into any version: airflow connections import restored/connections.json",
            )

    def _refuse_alive(self, said: Mapping[str, Any], settings: Mapping[str, str], runtime: Runtime) -> None:
        """Refuse while an orchestrator of these vaults works: at the address of who holds the term, or of the one that
        was saved, or on its database."""
        from dr_lib.orchestrator.processes import health

        if "term" in self.home.journal():
            return
        hint = "end it first, or use it: two must not run the schedules of the same vaults"
        held = runtime.term()
        known = {(str(said["url"]), str(said["host"]))} | (
            {(held.url, held.holder.partition(":")[0])} if held else set()
        )
        for url in sorted(url for url, host in known if _can_be_asked(url, host)):
            if (health(url).get("scheduler") or {}).get("status") == "healthy":
                raise Refused("the old orchestrator is alive: its scheduler works", where=url, hint=hint)
        where = database.address(settings[snapshot.DATABASE])
        try:
            with database.connected(where) as connection:
                beat = database.lives(connection, utc_now())
        except DrError:
            return  # silent, or gone: the term keeps it from working where it is cut off only from here
        if beat is not None:
            what = f"the old orchestrator is alive: its scheduler wrote into its database at {beat:%H:%M:%S} UTC"
            raise Refused(what, where=where.render_as_string(hide_password=True), hint=f"{hint}; or wait some minutes")

    def _furnish(self, settings: Mapping[str, str]) -> None:
        """The dr.yaml of this place: what it named stays, but for keys that are here now."""
        saved = self.home.restored / snapshot.CONFIG
        document = yaml.safe_load((saved / "dr.yaml").read_text(encoding="utf-8"))
        keys = {name: text for name in ("WRITER", "SIGNER") if (text := settings.get(f"{MARKER}{name}"))}
        for name, text in keys.items():
            (self.home.folder / "keys").mkdir(mode=0o700, exist_ok=True)
            write_private(self.home.folder / "keys" / f"{name.lower()}.key", text + "\n")
        document["encryption"]["identity"] = f"file:{self.order.vault.key.absolute()}"
        places = {name: f"file:{self.home.folder / 'keys' / f'{name.lower()}.key'}" for name in keys}
        if "WRITER" in places:
            document["encryption"]["writer"] = places["WRITER"]
        if "SIGNER" in places and isinstance(document.get("signing"), dict):
            document["signing"]["key"] = places["SIGNER"]
        for path in sorted(saved.rglob("*")):
            if path.is_file() and path.name != "dr.yaml":
                target = self.home.folder / path.relative_to(saved)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
        write_private(self.home.config, yaml.safe_dump(document, sort_keys=False))

    def _term(self, runtime: Runtime) -> Term:
        """The next term, which no other orchestrator has, taken once for this recovery."""
        journal = self.home.journal()
        if "term" in journal:
            since = parse_time(journal["since"])
            return runtime.claim(Term(journal["term"], journal["holder"], since, journal["point"], journal["url"]))
        before = runtime.term()
        number, holder = (before.number if before else 0) + 1, f"{platform.node()}:{self.home.folder}"
        term = runtime.claim(
            Term(number, holder, utc_now(), journal["point"], self._url() if self.order.starts else "")
        )
        self.home.note(term=number, holder=holder, since=time_text(term.since), url=term.url)
        return term

    def _packages(self) -> Path:
        """A Python with the packages that were pinned."""
        pinned = environment.pins((self.home.restored / snapshot.REQUIREMENTS).read_text(encoding="utf-8"))
        others = environment.differences(pinned, environment.packages())
        self.home.note(other_packages=others)
        if self.order.packages == "here" or not others:
            return Path(sys.executable)
        return environment.install(pinned, self.home.folder / "env")

    def _database(self, runtime: Runtime) -> str:
        if self.order.database is None:
            if snapshot.dump_of(self.home.restored).name == dumping.DUMP:
                hint = "make an empty one (createdb airflow), put its URL into a variable, and add --database env:NAME"
                raise UsageError("the database that was saved is one of PostgreSQL: where to?", hint=hint)
            return f"sqlite:///{self.home.database}"
        return runtime.database_url(self.order.database)

    def _fill(self, url: str, said: Mapping[str, Any], term: Term) -> None:
        """The saved database, with nothing in it that starts by itself. All of it in one transaction, or nothing."""
        journal, where = self.home.journal(), database.address(url)
        if "stilled_at" in journal:
            return
        label = where.render_as_string(hide_password=True)
        if _is_empty(where):
            self.home.note(loading=label)
            dumping.load(snapshot.dump_of(self.home.restored), where)
        note = f"lost with the orchestrator; recovered at {time_text(term.since)} as term {term.number}, not repeated"
        with database.connected(where) as connection:
            found = database.facts_of(connection, where.get_backend_name())
            self._refuse_other_revision(found.revisions, said["database"]["revisions"])
            stilled = still(connection, term.number, note, utc_now())
            marked = [
                {"dag": one.dag, "run": one.run, "state": one.state, "tasks": list(one.tasks)} for one in stilled.marked
            ]
            # Before the transaction ends: who finds it stilled finds what was awake, too.
            self.home.note(awake=journal.get("awake") or list(stilled.awake), marked=journal.get("marked") or marked)
        self.home.note(stilled_at=time_text(utc_now()), dropped=stilled.dropped, where=label)

    def _refuse_full(self, url: str) -> None:
        """Refuse a database with anything in it that this recovery did not put there."""
        where = database.address(url)
        label = where.render_as_string(hide_password=True)
        if self.home.journal().get("loading") != label and not _is_empty(where):
            hint = "name a database without any table; nothing is ever put over another one"
            raise Refused("the database is not empty", where=label, hint=hint)

    def _refuse_other_revision(self, found: Mapping[str, str], wanted: Mapping[str, str]) -> None:
        if dict(found) != dict(wanted):
            what = f"the dump is at {dict(found)}, and the snapshot says {dict(wanted)}: it is of another Airflow"
            raise IntegrityError(what, where=str(snapshot.dump_of(self.home.restored)), hint="take another point")

    def _check(self, url: str, said: Mapping[str, Any], settings: Mapping[str, str]) -> dict[str, Any]:
        """What came back: rows by table, and whether every connection opens with the key that was saved."""
        where = database.address(url)
        with database.connected(where) as connection:
            found = database.facts_of(connection, where.get_backend_name())
            opened = secrets.connections(connection, settings.get(FERNET_KEY, ""))
        wanted = said["database"]["counts"]
        less = {table: count for table, count in found.counts.items() if count < wanted.get(table, 0)}
        return {"rows": found.counts, "fewer": less, "connections": sorted(opened)}

    def _catalog(self, runtime: Runtime) -> Document:
        """The catalog, made anew from the regions that answer; a problem of it stops nothing."""
        saved = self.home.restored / snapshot.CATALOG / dumping.FILE
        target = self.home.state / "catalog.sqlite"
        try:
            if saved.exists() and not target.exists() and runtime.catalog_url() == f"sqlite:///{target}":
                dumping.load(saved, database.address(f"sqlite:///{target}"))
            found = runtime.refresh_catalog()
        except DrError as error:
            return {"assets": 0, "problems": [str(error)]}
        problems = [f"{one['asset']}: {text}" for one in found["assets"] for text in one["problems"]]
        return {
            "assets": len(found["assets"]),
            "points": sum(one["points"] for one in found["assets"]),
            "problems": problems,
        }

    def _airflow_settings(self, settings: Mapping[str, str], url: str) -> dict[str, str]:
        """As they were, but for what names the machine that is gone."""
        code, own = self.home.restored / snapshot.CODE, self._url()
        here = {
            "AIRFLOW_HOME": str(self.home.airflow),
            snapshot.DATABASE: url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.order.port),
            "AIRFLOW__API__BASE_URL": own,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{own}/execution/",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home.airflow / "passwords.json"),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.home.airflow / "logs"),
            "DR_CONFIG": str(self.home.config),
            STATE: str(self.home.state),
            "PYTHONPATH": os.pathsep.join([str(code), str(code / snapshot.PLUGINS)]),
            "PYTHONUNBUFFERED": "1",
        }
        for name, folder in (("DAGS_FOLDER", snapshot.DAGS), ("PLUGINS_FOLDER", snapshot.PLUGINS)):
            if (code / folder).is_dir():
                here[f"AIRFLOW__CORE__{name}"] = str(code / folder)
        if self.order.executor:
            here["AIRFLOW__CORE__EXECUTOR"] = self.order.executor
        kept = {name: value for name, value in settings.items() if _SETTING.fullmatch(name)}
        self.home.airflow.mkdir(exist_ok=True)
        return kept | here

    def _url(self) -> str:
        return f"http://127.0.0.1:{self.order.port}"

    def _document(self, said: Mapping[str, Any], journal: Document, checked: dict[str, Any]) -> Document:
        names = ("point", "region", "signers", "term", "awake", "marked", "dropped", "other_packages", "catalog")
        told = {name: journal.get(name) for name in names}
        return {
            **told,
            **checked,
            "pinned": bool(self.order.vault.trusted),
            "saved_at": said["taken_at"],
            "age_s": round((utc_now() - parse_time(said["taken_at"])).total_seconds(), 1),
            "directory": str(self.home.folder),
            "url": self._url() if self.order.starts else None,
            "go": f"{GO} {shlex.quote(str(self.home.folder))} --reason TEXT",
        }


def _runtime(home: Home, environ: Mapping[str, str]) -> Runtime:
    """The runtime over the recovered dr.yaml. Connections are not asked: credentials that Airflow keeps are taken from
    what was saved of them."""
    saved = json.loads((home.restored / snapshot.CONNECTIONS).read_text(encoding="utf-8"))

    def connection(name: str) -> Credentials:
        found = saved.get(name)
        if found is None or not found["password"]:
            raise UsageError("no such connection was saved, or none with a password", where=f"airflow:{name}")
        return Credentials(found["login"] or None, found["password"])

    return Runtime.load(home.config, environ={**environ, STATE: str(home.state)}, connections=connection)


def _can_be_asked(url: str, host: str) -> bool:
    """An address of a machine's loopback means something on that machine alone: here it may be anybody's."""
    name = urlsplit(url).hostname or ""
    return bool(url) and (name not in _LOOPBACK or host == platform.node())


def _is_empty(where: URL) -> bool:
    if where.get_backend_name() == database.SQLITE and not Path(str(where.database)).exists():
        return True
    with database.connected(where) as connection:
        return database.is_empty(connection)


def _database_url(home: Home) -> URL:
    from dr_lib.orchestrator.home import read_environment

    return database.address(read_environment(home)[snapshot.DATABASE])
