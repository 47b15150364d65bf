"""The signature of a recovery kit: a DSSE envelope in the comment of the zip file that the kit is.

So the kit stays one file, which Python runs as it stands. What is signed is its SHA-256 with an empty comment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from dr_lib.crypto import signing
from dr_lib.errors import IntegrityError
from dr_lib.format import canonical, entries, vault_record
from dr_lib.model.kit import KitFacts

TYPE: Final = "application/vnd.dr.kit.v1+json"
LARGEST: Final = 256 << 20
ANOTHER: Final = "take another region's, and `drctl kit build` for a new one"
_TAIL: Final = b"PK\5\6"
_TAIL_BYTES: Final = 22
_LENGTH_BYTES: Final = 2


def sign(unsigned: bytes, version: str, made_at: datetime, by: signing.Signer | None) -> bytes:
    """The kit with its signature; without a signer it only names its own digest."""
    facts = {
        "format": vault_record.FORMAT,
        "made_at": canonical.time_text(made_at),
        "sha256": hashlib.sha256(unsigned).hexdigest(),
        "version": version,
    }
    comment = canonical.dumps(signing.envelope(TYPE, canonical.dumps(facts), by))
    return unsigned[:-_LENGTH_BYTES] + len(comment).to_bytes(_LENGTH_BYTES, "little") + comment


def check(data: bytes, where: str, trusted: Sequence[str]) -> KitFacts:
    """What a kit says of itself, proven. `IntegrityError` where it is no kit, was changed, or is signed by nobody who
    is trusted (anybody will do where nobody is)."""
    unsigned, comment = _parted(data, where)
    try:
        envelope = json.loads(comment)
        payload = signing.payload_of(envelope, TYPE, trusted)
        facts = canonical.loads(payload, where)
        found = KitFacts(
            entries.text(facts["sha256"]),
            entries.natural(facts["format"]),
            entries.text(facts["version"]),
            canonical.parse_time(entries.text(facts["made_at"])),
            tuple(signing.signers_of(envelope, trusted)),
        )
        whole = found.sha256 == hashlib.sha256(unsigned).hexdigest() and canonical.dumps(envelope) == comment
    except IntegrityError as error:
        raise IntegrityError(error.what, where=where, hint=error.hint or ANOTHER) from error
    except (*entries.ODD, UnicodeDecodeError) as error:
        raise IntegrityError("the signature of this recovery kit does not parse", where=where, hint=ANOTHER) from error
    if not whole or not signing.is_exact(envelope, found.signed_by):
        raise IntegrityError("this recovery kit is not the bytes that were signed", where=where, hint=ANOTHER)
    return found


def _parted(data: bytes, where: str) -> tuple[bytes, bytes]:
    """The kit without its signature, and the signature."""
    at = data.rfind(_TAIL)
    comment = data[at + _TAIL_BYTES :]
    length = data[at + _TAIL_BYTES - _LENGTH_BYTES : at + _TAIL_BYTES]
    if at < 0 or int.from_bytes(length, "little") != len(comment):
        raise IntegrityError("this is no recovery kit, or a part of one", where=where, hint=ANOTHER)
    return data[: at + _TAIL_BYTES - _LENGTH_BYTES] + bytes(_LENGTH_BYTES), comment
