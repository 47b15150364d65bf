"""Whether the bytes of an object are those that its key promises: what can be proven of them without a reading key."""

from __future__ import annotations

import hashlib

from dr_lib.errors import IntegrityError
from dr_lib.format import index as index_format
from dr_lib.format import layout, vault_record
from dr_lib.vault.events import parse_event
from dr_lib.vault.evidence import parse_evidence
from dr_lib.vault.kits import check_kit
from dr_lib.vault.leases import check_lease
from dr_lib.vault.terms import check_term
from dr_lib.vault.vault import Vault
from dr_lib.vault.verifications import KIND, parse_verification


def check_object(vault: Vault, key: str, data: bytes) -> None:
    """Raise `IntegrityError` unless `data` may stand under `key` in this vault.

    A pack has its SHA-256, a wrapped run key and an event the digest in their names, a manifest its envelope's digest,
    a trusted signature and its body's digest, evidence and the recovery kit a trusted signature, an index the digests
    of its tables.
    Records of runs, which only writers read, and what has a key of no known shape are left alone.
    """
    where = vault.where(key)
    if key.startswith(layout.PACKS):
        if hashlib.sha256(data).hexdigest() != key.rpartition("/")[2]:
            raise IntegrityError("a pack's bytes are not those its name promises", where=where)
    elif (point := layout.parse_manifest_key(key)) is not None:
        vault.parse_clear(point.asset, point.point, data)
    elif (run_key := layout.parse_run_key_key(key)) is not None:
        if layout.event_check(data) != run_key.check:
            raise IntegrityError("a wrapped run key's bytes are not those its name promises", where=where)
    elif (event := layout.parse_event_key(key)) is not None:
        (parse_verification if event.kind == KIND else parse_event)(vault, event, data)
    elif layout.is_evidence_key(key):
        parse_evidence(vault, key.split("/")[1], key, data)
    elif key.startswith(layout.INDEX):
        list(index_format.load(data, where))
    else:
        _check_own(vault, key, data)


def _check_own(vault: Vault, key: str, data: bytes) -> None:
    """As `check_object`, of what belongs to the vault and to no asset."""
    if layout.parse_kit_key(key) is not None:
        check_kit(vault, key, data)
    elif (term := layout.parse_term_key(key)) is not None:
        check_term(vault, key, term[0], data)
    elif (lease := layout.parse_lease_key(key)) is not None:
        check_lease(vault, key, *lease, data)
    elif key == layout.VAULT_KEY:
        vault_record.check_strictly(data, vault.where(key))
