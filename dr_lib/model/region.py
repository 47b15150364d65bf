"""A region: a failure domain that holds one vault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Self

from dr_lib.errors import Refused
from dr_lib.model.rates import RateLimits
from dr_lib.model.rehearsal import NO_LEVERS, Rehearsal


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


FALLBACKS: Final = {
    Role.READER: (Role.READER, Role.VERIFIER, Role.WRITER),
    Role.VERIFIER: (Role.VERIFIER, Role.WRITER),
    Role.WRITER: (Role.WRITER,),
    Role.JANITOR: (Role.JANITOR,),
}
"""Whose credentials open a region for a role, the least that will do first; the janitor's serve nobody else."""


@dataclass(frozen=True, slots=True)
class RoleCredentials:
    """References to credentials (as in `StoreRef`) by role; one that is missing falls back as `FALLBACKS` say."""

    by_role: Mapping[Role, str | None]

    @classmethod
    def shared(cls, reference: str | None) -> Self:
        """One reference for every role."""
        return cls(dict.fromkeys(Role, reference))

    def stand_in(self, role: Role) -> Role | None:
        """The role whose credentials serve for `role`; None when there are none."""
        return next((one for one in FALLBACKS[role] if one in self.by_role), None)


@dataclass(frozen=True, slots=True)
class Region:
    """A named failure domain, the store of its vault, its lock policy, how fast it may be used, and what drills may do.

    `store` says where; who opens it, with which credentials, says `store_as`. `pool` is the Airflow pool whose slots
    bound how many tasks work on the region at once; None is Airflow's default one.
    """

    name: str
    store: StoreRef
    lock: LockPolicy | None = None
    limits: RateLimits | None = None
    credentials: RoleCredentials = field(default_factory=lambda: RoleCredentials.shared(None))
    rehearsal: Rehearsal = NO_LEVERS
    pool: str | None = None

    def store_as(self, role: Role) -> StoreRef:
        """The store as that role opens it; `Refused` (7) where dr.yaml names no credentials that may serve for it."""
        found = self.credentials.stand_in(role)
        if found is None:
            raise Refused(
                f"dr.yaml names no credentials of the {role} here",
                where=f"region {self.name}",
                hint=f"run this where they are, or add `{role}:` to the region's `credentials:`",
            )
        return replace(self.store, credentials=self.credentials.by_role[found])
