"""Facts of serving: an endpoint with two sites, who serves it, and who may change that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path


class Site(StrEnum):
    """The two places that can serve an endpoint."""

    PRIMARY = "primary"
    STANDBY = "standby"

    @property
    def other(self) -> Site:
        """The one that is not this one."""
        return Site.STANDBY if self is Site.PRIMARY else Site.PRIMARY


@dataclass(frozen=True, slots=True)
class Traffic:
    """Where a switch sends requests now. None of them: nobody is served; both: it stopped half-way."""

    sites: frozenset[Site]
    detail: str = ""

    @property
    def word(self) -> str:
        """`primary`, `standby`, `both` or `nobody`."""
        if len(self.sites) == 1:
            return next(iter(self.sites)).value
        return "both" if self.sites else "nobody"


@dataclass(frozen=True, slots=True)
class HealthPolicy:
    """How a site is asked: `fall` bad answers of the last `of` are a failure, `rise` right ones in a row health.

    `contains` is text that a right answer holds; `answers` a file of questions with their right answers (JSON lines),
    compared within `tolerance`.
    """

    path: str
    timeout: timedelta
    interval: timedelta
    of: int
    fall: int
    rise: int
    contains: str
    answers: Path | None
    tolerance: float


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """One site: where its server answers, where it loads from, how it is told to load, and which queue is there.

    `directory` is None for a site whose files are nobody's here: it can be proven by its answers alone.
    """

    url: str
    directory: Path | None = None
    reload: str | None = None
    command: tuple[str, ...] = ()
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class LeasePolicy:
    """The regions whose vaults hold the lease, and how long one lasts that is not renewed."""

    regions: tuple[str, ...]
    ttl: timedelta

    @property
    def needed(self) -> int:
        """How many of the regions have to take it: more than half."""
        return len(self.regions) // 2 + 1


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A served model. `url` is what its callers use, through the switch; `patience` how long a server may take to
    load; `schedule` when it is looked at, by a worker of `queue`."""

    name: str
    asset: str
    url: str
    sites: Mapping[Site, SitePolicy]
    health: HealthPolicy
    switch: SwitchPolicy
    is_automatic: bool
    lease: LeasePolicy
    patience: timedelta
    schedule: str | None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A move that somebody asks for. `by` is who, `holder` who holds the lease for it (None: this machine)."""

    endpoint: str
    to: Site
    reason: str
    by: str
    point: str = "latest-verified"
    is_planned: bool = False
    answers_may_differ: bool = False
    holder: str | None = None


@dataclass(frozen=True, slots=True)
class SeenEndpoint:
    """An endpoint as it was at `observed_at`: where its requests went, how its sites stood, and who held its lease.

    `problem` is empty when all was well then; `failing_since` is the first look in a row that found one.
    """

    endpoint: str
    asset: str
    traffic: str
    primary_stands: str
    standby_stands: str
    problem: str
    holder: str
    observed_at: datetime
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """A record of who may move an endpoint. `operation` is the number that the move began with, `step` what it is at;
    `done` is how it ended, empty while it goes on.

    Number and endpoint are in the key, too. Times are the holder's.
    """

    endpoint: str
    number: int
    holder: str
    at: datetime
    until: datetime
    operation: int
    to: Site
    point: str
    step: str
    reason: str
    done: str = ""


@dataclass(frozen=True, slots=True)
class HaproxySwitch:
    """A backend of HAProxy with a server a site. `address` is its runtime API: `unix:PATH` or `tcp:HOST:PORT`."""

    address: str
    backend: str
    servers: Mapping[Site, str]


@dataclass(frozen=True, slots=True)
class KubernetesSwitch:
    """A Service, and the labels of the pods that it selects for each site; other labels of its selector stay."""

    namespace: str
    service: str
    selectors: Mapping[Site, Mapping[str, str]]
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Route53Switch:
    """A record set of a hosted zone, and its values for each site. `ttl` is in seconds."""

    zone: str
    record: str
    type: str
    ttl: int
    values: Mapping[Site, tuple[str, ...]]
    credentials: str | None = None
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class FileSwitch:
    """A file that something watches, and what it holds for each site."""

    path: Path
    contents: Mapping[Site, str]


SwitchPolicy = HaproxySwitch | KubernetesSwitch | Route53Switch | FileSwitch
