"""`serving:` of a `dr.yaml`: endpoints, their two sites, and what moves traffic between them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from dr_lib.config import values
from dr_lib.config.strict import Strict
from dr_lib.config.switches import SwitchSchema
from dr_lib.model.serving import Endpoint, HealthPolicy, LeasePolicy, Site, SitePolicy

_ADDRESS: Final = re.compile(r"https?://[^/?#@\s]+(?P<path>/[^?#\s]*)?")
_SHORTEST_LEASE: Final = timedelta(seconds=5)


def _address(value: object) -> str:
    if isinstance(value, str) and "@" in value:
        raise ValueError("a password has no place here; write http://HOST:PORT")
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise ValueError(f"{value!r} is no address of a server; write http://HOST:PORT")
    return value.rstrip("/")


def _path(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"/[^\s#]*", value):
        raise ValueError(f"{value!r} is no path of a request; write one like /healthz")
    return value


def _words(value: object) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(word, str) and word for word in value):
        raise ValueError('this is no command; write a list of words: ["systemctl", "restart", "models"]')
    return value


def _approval(value: object) -> str:
    if value not in ("required", "automatic"):
        raise ValueError(f"{value!r} is not known; write required or automatic")
    return str(value)


def _tolerance(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ValueError(f"{value!r} is no tolerance; write a number from 0 up to 1: so far numbers may differ")
    return float(value)


def _lease_length(value: object) -> timedelta:
    found = values.duration(value)
    if found < _SHORTEST_LEASE:
        raise ValueError(f"{value!r} is too short to be renewed in time; write 30s or more")
    return found


def _optional_text(value: object) -> str | None:
    return None if value is None else values.text(value)


Address = Annotated[str, BeforeValidator(_address)]
RequestPath = Annotated[str, BeforeValidator(_path)]
Duration = Annotated[timedelta, BeforeValidator(values.duration)]
Count = Annotated[int, BeforeValidator(partial(values.whole, least=1, most=1000))]
Schedule = Annotated[str | None, BeforeValidator(values.schedule)]
Queue = Annotated[str | None, Field(pattern=r"^[\w.-]{1,200}$")]
OptionalText = Annotated[str | None, BeforeValidator(_optional_text)]


class HealthSchema(Strict):
    """`health:` of an endpoint."""

    path: RequestPath = "/healthz"
    timeout: Duration = timedelta(seconds=2)
    interval: Duration = timedelta(seconds=1)
    of: Count = 5
    fall: Count = 3
    rise: Count = 3
    contains: Annotated[str, BeforeValidator(values.text)] | None = None
    answers: OptionalText = None
    tolerance: Annotated[float, BeforeValidator(_tolerance)] = 0.001

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.fall > self.of or self.rise > self.of:
            raise ValueError(f"fall and rise count among the last {self.of}; write them no greater than of")
        return self


class SiteSchema(Strict):
    """`primary:` or `standby:` of an endpoint."""

    url: Address
    directory: OptionalText = None
    reload: Annotated[str, BeforeValidator(_path)] | None = None
    command: Annotated[list[str], BeforeValidator(_words)] = Field(default=[])
    queue: Queue = None

    def fact(self, folder: Path) -> SitePolicy:
        """What the rest of the program sees."""
        place = None if self.directory is None else folder / self.directory
        return SitePolicy(self.url, place, self.reload, tuple(self.command), self.queue)


class LeaseSchema(Strict):
    """`lease:` of an endpoint."""

    regions: list[Annotated[str, BeforeValidator(values.text)]] = Field(default=[])
    ttl: Annotated[timedelta, BeforeValidator(_lease_length)] = timedelta(minutes=1)


class EndpointSchema(Strict):
    """One entry of `serving:`."""

    asset: Annotated[str, BeforeValidator(values.name)]
    url: Address
    primary: SiteSchema
    standby: SiteSchema
    switch: SwitchSchema
    health: HealthSchema = HealthSchema()
    approval: Annotated[Literal["required", "automatic"], BeforeValidator(_approval)] = "required"
    lease: LeaseSchema = LeaseSchema()
    patience: Duration = timedelta(minutes=5)
    schedule: Schedule = "* * * * *"
    queue: Queue = None

    def fact(self, name: str, folder: Path, regions: Sequence[str]) -> Endpoint:
        """What the rest of the program sees; `regions` are the asset's."""
        return Endpoint(
            name=name,
            asset=self.asset,
            url=self.url,
            sites={Site.PRIMARY: self.primary.fact(folder), Site.STANDBY: self.standby.fact(folder)},
            health=self._health(folder),
            switch=self.switch.fact(folder),
            is_automatic=self.approval == "automatic",
            lease=LeasePolicy(tuple(self.lease.regions) or witnesses(regions), self.lease.ttl),
            patience=self.patience,
            schedule=self.schedule,
            queue=self.queue,
        )

    def _health(self, folder: Path) -> HealthPolicy:
        said: dict[str, Any] = self.health.model_dump()
        answers = said.pop("answers")
        contains = said.pop("contains") or ""
        return HealthPolicy(**said, contains=contains, answers=None if answers is None else folder / answers)


def witnesses(regions: Sequence[str]) -> tuple[str, ...]:
    """Regions whose majority survives the loss of any one of them; of an even number the first, beside which the
    primary stands, is left out."""
    return tuple(regions if len(regions) % 2 else regions[1:])


def endpoints(
    found: Mapping[str, EndpointSchema], folder: Path, regions_of: Mapping[str, Sequence[str]]
) -> dict[str, Endpoint]:
    """Every endpoint by name."""
    return {name: one.fact(name, folder, regions_of[one.asset]) for name, one in found.items()}
