"""A region: a failure domain that holds one vault."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dr_lib.model.rates import RateLimits


class LockMode(StrEnum):
    """Object-lock mode of the region's bucket."""

    GOVERNANCE = "governance"
    COMPLIANCE = "compliance"


class Role(StrEnum):
    """Who opens a region, each with credentials of its own: what one of them cannot do, its thief cannot do either.

    `reader` lists and reads; `writer` also creates and locks, and never deletes or overwrites; `verifier` reads, and
    creates events; `janitor` alone deletes, and puts a sound object in a damaged one's place.
    """

    READER = "reader"
    WRITER = "writer"
    VERIFIER = "verifier"
    JANITOR = "janitor"


@dataclass(frozen=True, slots=True)
class LockPolicy:
    """Every object of the vault is locked for `days` from its upload."""

    mode: LockMode
    days: int


@dataclass(frozen=True, slots=True)
class StoreRef:
    """Where objects live, and which credentials open it. Never holds a secret.

    `url` is `s3://bucket/prefix`, `file:///dir`, or `rclone:remote:path`. `endpoint` overrides the S3 endpoint.
    `credentials` is `env:PREFIX`, `profile:NAME`, `airflow:CONN_ID`, or None (the SDK's default chain; rclone's
    own configuration).
    """

    url: str
    endpoint: str | None = None
    credentials: str | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """A named failure domain, the store of its vault, its lock policy, and how fast it may be used."""

    name: str
    store: StoreRef
    lock: LockPolicy | None = None
    limits: RateLimits | None = None
