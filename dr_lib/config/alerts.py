"""`alerts:` of a `dr.yaml`: who is told when something is not protected."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from dr_lib.config import values
from dr_lib.config.strict import Strict
from dr_lib.model.alert import AlertPolicy, Recipient, Severity

_REFERENCE: Final = re.compile(r"env:[A-Za-z_]\w*|file:.+|airflow:[\w.-]+")


def _reference(value: object) -> str:
    forms = "write env:NAME, file:PATH or airflow:CONN_ID, and put the URLs of Apprise there"
    if isinstance(value, str) and "://" in value:
        raise ValueError(f"such a URL holds a token, and secrets never stand in this file; {forms}")
    if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
        raise ValueError(f"{value!r} does not say where the addresses lie; {forms}")
    return value


def _severity(value: object) -> Severity:
    known = [one.value for one in Severity]
    if value not in known:
        raise ValueError(f"{value!r} is not known; write {' or '.join(known)}")
    return Severity(value)


class RecipientSchema(Strict):
    """One entry of `to:`."""

    urls: Annotated[str, BeforeValidator(_reference)]
    at_least: Annotated[Severity, BeforeValidator(_severity)] = Severity.WARNING


class AlertsSchema(Strict):
    """`alerts:` of the whole file."""

    to: list[RecipientSchema] = Field(default=[])
    repeat: Annotated[timedelta | None, BeforeValidator(values.optional_duration)] = timedelta(days=1)

    def fact(self) -> AlertPolicy:
        """What the rest of the program sees."""
        return AlertPolicy(tuple(Recipient(one.urls, one.at_least) for one in self.to), self.repeat)
