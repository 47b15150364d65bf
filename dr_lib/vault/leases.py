"""Leases: a log of records for each endpoint, each created if absent, so that a number has one writer."""

from __future__ import annotations

from typing import Final

from dr_lib.errors import AlreadyExists, IntegrityError, Refused
from dr_lib.format import canonical, entries, layout
from dr_lib.model.serving import Lease, Site
from dr_lib.vault.records import add_record, decode_record, encode_record
from dr_lib.vault.vault import Vault

LEASE: Final = "application/vnd.dr.lease.v1+json"
_MEND: Final = "`drctl heal --region` puts back what another region has whole"
_TEXTS: Final = ("endpoint", "holder", "point", "step", "reason", "done")


def newest_lease(vault: Vault, endpoint: str) -> Lease | None:
    """The last record here: one listing and one get; None where there never was one.

    `IntegrityError` (4) for one that cannot be trusted: then nobody knows who may move the endpoint.
    """
    numbers = [layout.parse_lease_key(info.key) for info in vault.store.list(f"{layout.LEASES}{endpoint}/")]
    found = [one[1] for one in numbers if one is not None]
    if not found:
        return None
    key = layout.lease_key(endpoint, max(found))
    return check_lease(vault, key, endpoint, max(found), vault.store.get(key))


def write_lease(vault: Vault, lease: Lease) -> None:
    """Add this record. `Refused` (7) where another one has its number; the same one again is fine."""
    record = {name: getattr(lease, name) for name in (*_TEXTS, "number", "operation")}
    record |= {"at": canonical.time_text(lease.at), "until": canonical.time_text(lease.until), "to": lease.to.value}
    key = layout.lease_key(lease.endpoint, lease.number)
    try:
        add_record(vault, key, encode_record(vault, record, LEASE))
    except AlreadyExists as error:
        what = f"somebody else took the lease of {lease.endpoint} at the same time"
        raise Refused(what, where=vault.where(key), hint="`drctl serving status` says who") from error


def check_lease(vault: Vault, key: str, endpoint: str, number: int, data: bytes) -> Lease:
    """The record in `data`; `IntegrityError` unless it may stand under that key."""
    found = decode_record(vault, key, data, LEASE)
    try:
        texts = {name: entries.text(found[name]) for name in _TEXTS}
        lease = Lease(
            **texts,
            number=entries.whole(found["number"]),
            operation=entries.whole(found["operation"]),
            to=Site(entries.text(found["to"])),
            at=canonical.parse_time(entries.text(found["at"])),
            until=canonical.parse_time(entries.text(found["until"])),
        )
    except entries.ODD as error:
        raise IntegrityError("a lease does not parse", where=vault.where(key), hint=_MEND) from error
    if (lease.endpoint, lease.number) != (endpoint, number):
        raise IntegrityError("a lease stands under another one's name", where=vault.where(key), hint=_MEND)
    return lease
