"""`switch:` of an endpoint: what moves its traffic, and what each of the two sites is there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, model_validator

from dr_lib.config import values
from dr_lib.config.locations import server_address
from dr_lib.config.strict import Strict
from dr_lib.model.serving import (
    FileSwitch,
    HaproxySwitch,
    KubernetesSwitch,
    Route53Switch,
    Site,
    SwitchPolicy,
)

KINDS: Final = ("haproxy", "kubernetes", "route53", "file")
TYPES: Final = ("CNAME", "A", "AAAA")
NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "haproxy": ("address", "backend"),
    "kubernetes": ("service",),
    "route53": ("zone", "record"),
    "file": ("path",),
}
"""What each kind needs beside `primary` and `standby`."""
ALLOWED: Final[dict[str, tuple[str, ...]]] = {
    "haproxy": (),
    "kubernetes": ("namespace", "context"),
    "route53": ("type", "ttl", "credentials", "endpoint"),
    "file": (),
}
"""What it may have beside that."""
SHOWN: Final = {
    "address": "address: unix:/run/haproxy/admin.sock",
    "backend": "backend: models",
    "service": "service: models",
    "zone": "zone: Z0123456789ABC",
    "record": "record: models.example.org",
    "path": "path: /etc/nginx/models.map",
}
_ADDRESS = re.compile(r"unix:/[^\s]+|tcp:(?:[\w.-]+|\[[0-9a-f:]+\]):[0-9]{1,5}")
_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_HOST = re.compile(r"(?=.{1,254}$)(?:[A-Za-z0-9_*-]{1,63}\.)+[A-Za-z0-9-]{1,63}\.?")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?")


def _kind(value: object) -> str:
    if value not in KINDS:
        raise ValueError(f"{value!r} is not known; write {', '.join(KINDS)}")
    return str(value)


def _type(value: object) -> str:
    if value not in TYPES:
        raise ValueError(f"{value!r} is not known; write {' or '.join(TYPES)}")
    return str(value)


def _shaped(pattern: re.Pattern[str], right: str) -> BeforeValidator:
    def check(value: object) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(f"{value!r} is not allowed; {right}")
        return value

    return BeforeValidator(check)


def _endpoint(value: object) -> str | None:
    return None if value is None else server_address(value)


def _optional_text(value: object) -> str | None:
    return None if value is None else values.text(value)


Word = Annotated[str | None, _shaped(_WORD, "use letters, digits and _ . : -")]


class SwitchSchema(Strict):
    """`switch:` of an endpoint. What `primary` and `standby` are depends on the kind."""

    kind: Annotated[str, BeforeValidator(_kind)]
    primary: Any
    standby: Any
    address: Annotated[str | None, _shaped(_ADDRESS, "write unix:/path/of/socket, or tcp:HOST:PORT")] = None
    backend: Word = None
    namespace: Word = None
    service: Word = None
    context: Annotated[str | None, BeforeValidator(_optional_text)] = None
    zone: Word = None
    record: Annotated[str | None, _shaped(_HOST, "write a full name like models.example.org")] = None
    type: Annotated[str, BeforeValidator(_type)] = "CNAME"
    ttl: Annotated[int, BeforeValidator(partial(values.whole, least=1, most=3600))] = 30
    credentials: Annotated[str | None, BeforeValidator(values.credentials)] = None
    endpoint: Annotated[str | None, BeforeValidator(_endpoint)] = None
    path: Annotated[str | None, BeforeValidator(_optional_text)] = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        known = {"kind", "primary", "standby", *NEEDED[self.kind], *ALLOWED[self.kind]}
        strange = sorted(self.model_fields_set - known)
        if strange:
            raise ValueError(f"a {self.kind} switch has no {strange[0]}; remove it")
        missing = next((name for name in NEEDED[self.kind] if getattr(self, name) is None), None)
        if missing is not None:
            raise ValueError(f"a {self.kind} switch needs {missing}; add `{SHOWN[missing]}`")
        if self._of(self.primary) == self._of(self.standby):
            raise ValueError("primary and standby are the same; write what tells one from the other")
        return self

    def _of(self, site: object) -> Any:
        """What a site is for this kind."""
        return _SITES[self.kind](site)

    def fact(self, folder: Path) -> SwitchPolicy:
        """What the rest of the program sees."""
        sites: dict[Site, Any] = {Site.PRIMARY: self._of(self.primary), Site.STANDBY: self._of(self.standby)}
        if self.kind == "haproxy":
            return HaproxySwitch(str(self.address), str(self.backend), sites)
        if self.kind == "kubernetes":
            return KubernetesSwitch(self.namespace or "default", str(self.service), sites, self.context)
        if self.kind == "file":
            return FileSwitch(folder / str(self.path), sites)
        named = (str(self.zone), str(self.record), self.type, self.ttl)
        return Route53Switch(*named, sites, self.credentials, self.endpoint)


def _server(value: object) -> str:
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise ValueError(f"{value!r} is no server of HAProxy; write its name, as its `server` line has it")
    return value


def _labels(value: object) -> Mapping[str, str]:
    right = "write the labels of its pods, as {site: us}"
    if not isinstance(value, dict) or not value:
        raise ValueError(f"{value!r} selects no pods; {right}")
    for name, text in value.items():
        if not all(isinstance(one, str) and _LABEL.fullmatch(one) for one in (name, text)):
            raise ValueError(f"{name!r}: {text!r} is no label; {right}, numbers and switches in quotes")
    return value


def _values(value: object) -> tuple[str, ...]:
    found = value if isinstance(value, list) else [value]
    if not found or not all(isinstance(one, str) and one and not one.isspace() for one in found):
        raise ValueError(f"{value!r} is no value of a record; write a name or an address, or a list of them")
    return tuple(found)


_SITES: Final = {"haproxy": _server, "kubernetes": _labels, "route53": _values, "file": values.text}
