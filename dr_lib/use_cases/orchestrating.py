"""The orchestrator as an asset: saving it, and who holds the term."""

from __future__ import annotations

import fcntl
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from dr_lib.catalog.answers import open_ones, raise_first
from dr_lib.errors import DrError, Refused, StoreUnavailable, UsageError
from dr_lib.keys import SecretSource
from dr_lib.model.asset import AssetKind
from dr_lib.model.orchestrator import NAME, OrchestratorPolicy, Term
from dr_lib.model.region import Role
from dr_lib.progress import SILENT, Progress
from dr_lib.telemetry import workflow
from dr_lib.use_cases.backing_up import BackingUp
from dr_lib.use_cases.cataloguing import Cataloguing
from dr_lib.use_cases.over_config import Document
from dr_lib.vault.terms import say_go, take_term, term_in_force

if TYPE_CHECKING:
    from dr_lib.vault.vault import Vault

PREFIX = "AIRFLOW__"
MARKER = "DR_KEY_"
"""Names in the snapshot's settings under which keys of the vaults travel, where dr.yaml allows it."""


class Orchestrating(BackingUp, Cataloguing):
    """The orchestrator as an asset."""

    def backup(self, asset: str, regions: Sequence[str] | None = None, progress: Progress = SILENT) -> Document:
        """Back up here and now, as `BackingUp.backup`; the orchestrator is gathered first."""
        if self.config.asset(asset).kind is AssetKind.ORCHESTRATOR:
            return self.backup_orchestrator(regions=regions, progress=progress)
        return super().backup(asset, regions, progress)

    @workflow("backup-orchestrator")
    def backup_orchestrator(
        self,
        settings: Mapping[str, str] | None = None,
        regions: Sequence[str] | None = None,
        progress: Progress = SILENT,
    ) -> Document:
        """Gather Airflow's database, connections, variables, settings, code and versions, and back that up.

        `settings` are Airflow's (`AIRFLOW__SECTION__KEY`; those of the environment, when None), with its Fernet key.
        What is gathered holds secrets in clear: it is removed again, also after a failure; what a killed one left, the
        next one removes first. `Refused` (7) where another one gathers.
        """
        from dr_lib.orchestrator import snapshot

        policy = self._policy()
        folder = Path(unquote(urlsplit(self.config.asset(NAME).source.url).path))
        given = self._settings() if settings is None else dict(settings)
        url = self.database_url(policy.database)
        with _alone(folder):
            try:
                said = snapshot.gather(
                    folder, policy, url, given | self._keys_to_save(policy), self.config.path, self._wiring.clock()
                )
                snapshot.save_catalog(folder, self.catalog_url)
                done = super().backup(NAME, regions, progress)
            finally:
                snapshot.clear(folder)
        found = said["database"]
        return {**done, "airflow": said["versions"]["airflow"], "rows": found["counts"]}

    def database_url(self, reference: str) -> str:
        """The URL that a reference leads to; `UsageError` (2) where it leads to none."""
        kind, _, argument = reference.partition(":")
        connections = self._wiring.connections
        found = SecretSource(self._wiring.environ, connections).text(reference)
        if found is None:
            what = f"the variable {argument} is not set" if kind == "env" else f"{reference} leads to no URL"
            hint = "Airflow keeps its database from tasks: put its URL there, with a role that may read all of it"
            raise UsageError(f"the address of Airflow's database is not here: {what}", hint=hint)
        return found

    def term(self) -> Term | None:
        """The term in force, by all regions that answer; None where nobody ever took one.

        `IntegrityError` (4) for one that cannot be trusted; `StoreUnavailable` (6) where no region answers.
        """
        answers = self._wiring.answers(list(self.config.asset(NAME).regions))
        vaults = open_ones(answers, list(answers))
        if not vaults:
            raise_first([answer for answer in answers.values() if isinstance(answer, DrError)])
        return term_in_force(vaults)

    def hold_term(self, number: int | None, url: str = "") -> int:
        """The number of the term that this orchestrator holds; takes the first one where there is none yet.

        `number` is what it knows itself by, `url` where its Airflow answers. `Refused` (7) when another orchestrator
        has taken over, or holds them.
        """
        found = self.term()
        if found is None and number is None:
            return self.claim(Term(1, platform.node(), self._wiring.clock(), url=url)).number
        if found is None or found.number != number:
            holder = "nobody" if found is None else f"{found.holder} since {found.since:%Y-%m-%d %H:%M} UTC"
            raise Refused(
                f"this orchestrator holds the term {number or 'of nobody'}, and in force is "
                f"{found.number if found else 'none'} ({holder}): two must not run the schedules of the same vaults",
                hint="pause all DAGs of this Airflow, or end it; `drctl recover` is how one takes over from another",
            )
        return found.number

    def refuse_superseded(self, number: int | None) -> None:
        """Raise `Refused` (7) where another orchestrator took over from the one that knows itself by `number`.

        Where no region answers nothing is known, and nothing could be written either: then this says nothing.
        """
        try:
            found = self.term()
        except StoreUnavailable:
            return
        if found is None or found.number == number or (number is None and not found.recovered_from):
            return
        self.hold_term(number)

    def claim(self, term: Term) -> Term:
        """Take a term in every region that answers. `Refused` (7) where another has it in any of them; the first region
        decides a race, so that of two claimants one gets none at all."""
        vaults = self._writers()
        for vault in vaults:
            take_term(vault, term)
        return term

    def let_work(self, number: int, at: datetime, reason: str) -> None:
        """Say in every region that answers that this term, which was recovered, may work and prune."""
        for vault in self._writers():
            say_go(vault, number, at, reason)

    def _writers(self) -> list[Vault]:
        regions = list(self.config.asset(NAME).regions)
        answers = self._wiring.answers(regions, Role.WRITER)
        vaults = open_ones(answers, regions)
        if not vaults:
            raise_first([answer for answer in answers.values() if isinstance(answer, DrError)])
        return vaults

    def _policy(self) -> OrchestratorPolicy:
        policy = self.config.orchestrator
        if policy is None:
            hint = "add `orchestrator: {regions: […]}`; docs/operations.md tells the rest"
            raise UsageError("dr.yaml does not protect the orchestrator", where=str(self.config.path), hint=hint)
        return policy

    def _settings(self) -> dict[str, str]:
        return {name: value for name, value in self._wiring.environ.items() if name.startswith(PREFIX)}

    def _keys_to_save(self, policy: OrchestratorPolicy) -> dict[str, str]:
        if not policy.saves_keys:
            return {}
        secrets = SecretSource(self._wiring.environ, self._wiring.connections)
        sealing, signing = self.config.encryption, self.config.signing
        named = {"WRITER": sealing.writer if sealing else None, "SIGNER": signing.key if signing else None}
        found = {name: secrets.text(reference) for name, reference in named.items() if reference}
        return {f"{MARKER}{name}": text for name, text in found.items() if text}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(f"{folder}.lock", os.O_RDWR | os.O_CREAT, 0o600)) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused("another backup of the orchestrator is at work", where=str(folder)) from error
        yield
