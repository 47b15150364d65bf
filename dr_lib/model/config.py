"""The configuration as the rest of the program sees it: checked, frozen, without a secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from dr_lib.errors import NotFound
from dr_lib.model.alert import NOBODY, AlertPolicy
from dr_lib.model.asset import Asset
from dr_lib.model.orchestrator import OrchestratorPolicy
from dr_lib.model.protection import Encryption, Signing
from dr_lib.model.prune import DRY, PrunePolicy
from dr_lib.model.region import Region
from dr_lib.model.serving import Endpoint
from dr_lib.model.standby import LOCAL, StandbyPolicy


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one worker. `shard_bytes`: source bytes of one unit of parallel work; `workers`: threads a process."""

    shard_bytes: int
    workers: int


@dataclass(frozen=True, slots=True)
class CatalogPolicy:
    """Where the catalog is (a database URL, `env:NAME` of one, or empty: a file beside dr.yaml), after how long what it
    says counts as unknown, and when it is refreshed (a cron line, None: by hand)."""

    url: str = ""
    stale_after: timedelta = timedelta(minutes=15)
    schedule: str | None = None


@dataclass(frozen=True, slots=True)
class MetricsPolicy:
    """Where the token lies that a scraper sends (`env:NAME`, `file:PATH`, `airflow:CONN_ID`); None: there is none."""

    token: str | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """One `dr.yaml`. `regions` and `assets` are keyed by name, in the file's order.

    `encryption` and `signing` are None where the file says `none`, `signing` also where it says nothing.
    """

    path: Path
    regions: dict[str, Region]
    assets: dict[str, Asset]
    encryption: Encryption | None
    signing: Signing | None
    limits: Limits
    prune: PrunePolicy = DRY
    catalog: CatalogPolicy = CatalogPolicy()
    alerts: AlertPolicy = NOBODY
    metrics: MetricsPolicy = MetricsPolicy()
    orchestrator: OrchestratorPolicy | None = None
    serving: dict[str, Endpoint] = field(default_factory=dict)
    standbys: dict[str, StandbyPolicy] = field(default_factory=lambda: {LOCAL.name: LOCAL})

    def asset(self, name: str) -> Asset:
        """The asset of that name, or `NotFound` naming those that exist."""
        if name not in self.assets:
            known = ", ".join(sorted(self.assets)) or "none"
            raise NotFound(f"no asset named {name!r}", where=str(self.path), hint=f"assets there: {known}")
        return self.assets[name]

    def region(self, name: str) -> Region:
        """The region of that name, or `NotFound` naming those that exist."""
        if name not in self.regions:
            known = ", ".join(sorted(self.regions)) or "none"
            raise NotFound(f"no region named {name!r}", where=str(self.path), hint=f"regions there: {known}")
        return self.regions[name]

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint of that name, or `NotFound` naming those that exist."""
        if name not in self.serving:
            known = ", ".join(sorted(self.serving)) or "none"
            raise NotFound(f"no endpoint named {name!r}", where=str(self.path), hint=f"endpoints there: {known}")
        return self.serving[name]

    def standby(self, name: str) -> StandbyPolicy:
        """The standby of that name, or `NotFound` naming those that exist."""
        if name not in self.standbys:
            known = ", ".join(sorted(self.standbys))
            raise NotFound(f"no standby named {name!r}", where=str(self.path), hint=f"standbys there: {known}")
        return self.standbys[name]
