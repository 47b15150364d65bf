"""Which roles this machine's keys let it play. A machine needs those of its role alone, so that a missing one is no
mistake until no role is left; a wrong one always is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dr_lib.crypto import age
from dr_lib.crypto.keyset import Keyset
from dr_lib.model.check import Check
from dr_lib.model.config import Config
from dr_lib.workflows.keys.survey import own_recipients

WRITER, SIGNER, IDENTITY = "writer key", "signing key", "age identity"
ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "backing up": (WRITER, SIGNER),
    "verifying, drilling": (IDENTITY, SIGNER),
    "restoring": (IDENTITY,),
}
"""The keys of each role, where vaults are sealed and signed."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A key that the configuration names: where it is looked for, and what is wrong with it there, if anything."""

    reference: str
    fault: str


def check_keys(config: Config, keys: Keyset) -> tuple[Check, ...]:
    """Whom it is sealed to, each role, and keys that are here and are not the right ones; nothing in the clear."""
    wanted = _wanted(config, keys)
    return (*_recipients(keys), *_roles(wanted), *_wrong(keys))


def _wanted(config: Config, keys: Keyset) -> dict[str, _Wanted]:
    wanted = {}
    if config.encryption is not None:
        wanted[WRITER] = _Wanted(config.encryption.writer, "" if keys.writer else "no")
        wanted[IDENTITY] = _Wanted(config.encryption.identity, _fault(keys.identities, _strange_identities(keys)))
    if config.signing is not None:
        wanted[SIGNER] = _Wanted(config.signing.key, _fault(keys.signer, _strange_signer(keys)))
    return wanted


def _fault(found: object, strange: str) -> str:
    return ("a wrong" if strange else "") if found else "no"


def _recipients(keys: Keyset) -> Iterator[Check]:
    if keys.recipients:
        yield Check("recipients", True, f"sealed to {len(keys.recipients)}, set {age.fingerprint(keys.recipients)}")


def _roles(wanted: Mapping[str, _Wanted]) -> Iterator[Check]:
    lacking = {role: [name for name in names if name in wanted and wanted[name].fault] for role, names in ROLES.items()}
    for role, names in lacking.items() if wanted else ():
        lacks = ", ".join(f"{wanted[name].fault} {name} in {wanted[name].reference}" for name in names)
        yield Check(role, True, f"not from here: {lacks}" if lacks else "can be done here")
    if all(lacking.values()):
        places = {role: " and ".join(wanted[name].reference for name in names) for role, names in lacking.items()}
        ways = [f"for {role} {references}" for role, references in places.items()]
        yield Check("keys", False, "with the keys here nothing can be done", f"set {'; '.join(ways)}")


def _wrong(keys: Keyset) -> Iterator[Check]:
    if signer := _strange_signer(keys):
        fix = "use the right one, or add this one to `signing.trusted` in dr.yaml"
        yield Check(SIGNER, False, f"{signer} is none that is trusted", fix)
    if own := _strange_identities(keys):
        fix = "take the identity of a recipient; after a change of recipients, `drctl keys rotate` with the old one"
        yield Check(IDENTITY, False, f"{own} is no recipient: it opens no new backup", fix)


def _strange_signer(keys: Keyset) -> str:
    """The public key of a signer that is not among the trusted; empty when all is well."""
    return keys.signer.public if keys.signer and keys.trusted and keys.signer.public not in keys.trusted else ""


def _strange_identities(keys: Keyset) -> str:
    """The public parts of identities of which none is a recipient; empty when all is well."""
    own = own_recipients(keys)
    return "" if not keys.recipients or set(own) & set(keys.recipients) else ", ".join(own)
