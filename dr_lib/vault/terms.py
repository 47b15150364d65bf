"""Terms: who runs the schedules of these vaults. The greatest number counts, and nobody gets one twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from dr_lib.errors import AlreadyExists, IntegrityError, Refused
from dr_lib.format import canonical, entries, layout
from dr_lib.model.orchestrator import Term
from dr_lib.vault.records import add_record, decode_record, encode_record
from dr_lib.vault.vault import Vault

TERM: Final = "application/vnd.dr.term.v1+json"
_MEND: Final = "`drctl heal --region` puts back what another region has whole"


def newest_term(vault: Vault) -> Term | None:
    """The term in force here: one listing, and one or two gets; None where nobody ever took one.

    `IntegrityError` (4) for one that cannot be trusted: then nobody knows who may work.
    """
    found: dict[int, set[str]] = {}
    for info in vault.store.list(layout.TERMS):
        name = layout.parse_term_key(info.key)
        if name is not None:
            found.setdefault(name[0], set()).add(name[1])
    if not found:
        return None
    number = max(found)
    taken = _read(vault, layout.term_key(number), number)
    gone = _read(vault, layout.term_go_key(number), number) if "go" in found[number] else None
    try:
        return Term(
            number,
            entries.text(taken["holder"]),
            canonical.parse_time(entries.text(taken["at"])),
            entries.text(taken["recovered_from"]),
            entries.text(taken["url"]),
            None if gone is None else canonical.parse_time(entries.text(gone["at"])),
        )
    except entries.ODD as error:
        where = vault.where(layout.term_key(number))
        raise IntegrityError("a term does not parse", where=where, hint=_MEND) from error


def take_term(vault: Vault, term: Term) -> None:
    """Take this term here. `Refused` (7) where another one has it; the same one again is fine."""
    record = {
        "term": term.number,
        "holder": term.holder,
        "at": canonical.time_text(term.since),
        "recovered_from": term.recovered_from,
        "url": term.url,
    }
    key = layout.term_key(term.number)
    try:
        add_record(vault, key, encode_record(vault, record, TERM))
    except AlreadyExists as error:
        hint = "another recovery of the same orchestrator is under way, or done: see who it is before you go on"
        raise Refused(f"somebody else took the term {term.number}", where=vault.where(key), hint=hint) from error


def say_go(vault: Vault, number: int, at: datetime, reason: str) -> None:
    """Let what waits for a person run, and be deleted, from now on. The first one that says so counts."""
    record = {"term": number, "at": canonical.time_text(at), "reason": reason}
    key = layout.term_go_key(number)
    try:
        add_record(vault, key, encode_record(vault, record, TERM))
    except AlreadyExists:
        _read(vault, key, number)


def term_in_force(vaults: Iterable[Vault]) -> Term | None:
    """The newest term of all these vaults; one that was let go anywhere was let go."""
    found = [term for vault in vaults if (term := newest_term(vault)) is not None]
    return max(found, key=lambda term: (term.number, term.gone is not None), default=None)


def refuse_before_go(vaults: Iterable[Vault]) -> None:
    """Raise `Refused` (7) where the orchestrator was recovered and nobody has said go yet."""
    term = term_in_force(vaults)
    if term is not None and term.waits:
        raise Refused(
            f"the orchestrator was recovered at {term.since:%Y-%m-%d %H:%M} UTC, and nobody has said go",
            where=term.holder,
            hint="when what it was doing is understood: drctl recover --go --to DIR",
        )


def check_term(vault: Vault, key: str, number: int, data: bytes) -> dict[str, object]:
    """What a term's record says; `IntegrityError` unless `data` may stand there."""
    found = decode_record(vault, key, data, TERM)
    if found.get("term") != number:
        raise IntegrityError("a term stands under another one's name", where=vault.where(key), hint=_MEND)
    return found


def _read(vault: Vault, key: str, number: int) -> dict[str, object]:
    return check_term(vault, key, number, vault.store.get(key))
