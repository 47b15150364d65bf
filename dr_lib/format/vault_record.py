"""The bytes of `vault.json`: canonical JSON with a check over itself, so that a changed letter of it is noticed."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from dr_lib.errors import IntegrityError
from dr_lib.format import canonical

FORMAT: Final = 1
"""Of the vaults that this program makes and reads."""
CHECK: Final = "check"
_FIELDS: Final = frozenset({"format", "region", "encryption", "vault", "created_at", "signers", CHECK})
HEAL: Final = "`drctl heal --region` this region makes it anew"


def dump(record: dict[str, Any], *, check: bool = True) -> bytes:
    """Bytes of the record; without its check as the first writers made it."""
    return canonical.dumps(record | ({CHECK: _digest(record)} if check else {}))


def load(data: bytes, where: str) -> dict[str, Any]:
    """The record in `data`; `IntegrityError` for what is none, and for one that does not have the check it states."""
    try:
        record = canonical.loads(data, where)
    except IntegrityError as error:
        raise IntegrityError(f"a vault's own record is damaged: {error.what}", where=where, hint=HEAL) from error
    if CHECK in record and record[CHECK] != _digest(record):
        raise IntegrityError("a vault's own record does not have its check", where=where, hint=HEAL)
    return record


def check_strictly(data: bytes, where: str) -> None:
    """As `load`, and every byte is as a writer leaves it: of verification, which must not overlook a turned letter."""
    record = load(data, where)
    if not set(record) <= _FIELDS or canonical.dumps(record) != data:
        raise IntegrityError("a vault's own record holds what no writer puts there", where=where, hint=HEAL)


def _digest(record: dict[str, Any]) -> str:
    return hashlib.sha256(canonical.dumps({name: record[name] for name in record if name != CHECK})).hexdigest()
