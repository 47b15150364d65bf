"""Gathering the evidence of an asset over its regions: which of it counts, and what is wrong with the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from dr_lib.crypto import signing
from dr_lib.errors import DrError, IntegrityError
from dr_lib.format import canonical
from dr_lib.format.evidence_schema import schema_problems
from dr_lib.model.evidence import ChainEntry, Link, Trouble
from dr_lib.vault.evidence import PREDICATE, PREDICATE_V1, PastDrill, evidence_keys, parse_evidence
from dr_lib.vault.records import STATEMENT, decode_record
from dr_lib.vault.vault import Vault

READERS: Final = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """Evidence of one drill that counts: its bytes, what it states, who signed it (empty where nobody must), and the
    regions that hold exactly these bytes."""

    past: PastDrill
    statement: dict[str, Any]
    sha256: str
    signers: tuple[str, ...]
    regions: tuple[str, ...]

    @property
    def entry(self) -> ChainEntry:
        """Its place in the chain."""
        chained = self.statement.get("predicateType") == PREDICATE
        return ChainEntry(self.past.drill, Link(self.past.key, self.sha256), self.past.previous, chained)


@dataclass(slots=True)
class Gathered:
    """All that the regions tell: what counts by key, oldest first, what must not be, and which keys a region lacks."""

    pieces: dict[str, Piece] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    lacking: dict[str, list[str]] = field(default_factory=dict)
    silent: dict[str, DrError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Copy:
    region: str
    key: str
    data: bytes


def gather(vaults: Sequence[Vault], asset: str, newest: int | None = None) -> Gathered:
    """Read an asset's evidence in every vault, or each one's `newest`; a region that stops answering is in `silent`.

    What is damaged, forged or under another's name is a trouble, and is not among what counts.
    """
    found = Gathered()
    copies: list[tuple[Vault, _Copy]] = []
    for vault in vaults:
        try:
            keys = evidence_keys(vault, asset)[-newest if newest else 0 :]
            copies += [(vault, copy) for copy in _read(vault, keys, found)]
        except DrError as error:
            found.silent[vault.region] = error
    answering = [vault.region for vault in vaults if vault.region not in found.silent]
    by_key: dict[str, list[tuple[Vault, _Copy]]] = {}
    for vault, copy in copies:
        if vault.region in answering:
            by_key.setdefault(copy.key, []).append((vault, copy))
    for key in sorted(by_key):
        _judge(by_key[key], asset, key, found)
        lacks = [region for region in answering if region not in {copy.region for _, copy in by_key[key]}]
        for region in lacks:
            found.lacking.setdefault(region, []).append(key)
    return found


def _read(vault: Vault, keys: Sequence[str], found: Gathered) -> list[_Copy]:
    def one(key: str) -> _Copy | Trouble:
        try:
            return _Copy(vault.region, key, vault.store.get(key))
        except IntegrityError as error:
            return Trouble(_drill_of(key), vault.where(key), error.what)

    with ThreadPoolExecutor(READERS) as pool:
        read = list(pool.map(one, keys))
    found.troubles += [item for item in read if isinstance(item, Trouble)]
    return [item for item in read if isinstance(item, _Copy)]


def _judge(copies: Sequence[tuple[Vault, _Copy]], asset: str, key: str, found: Gathered) -> None:
    sound: dict[bytes, tuple[Piece, list[str]]] = {}
    for vault, copy in copies:
        try:
            piece = read_piece(vault, asset, key, copy.data)
        except IntegrityError as error:
            found.troubles.append(Trouble(_drill_of(key), error.where or vault.where(key), error.what))
            continue
        sound.setdefault(copy.data, (piece, []))[1].append(copy.region)
    if len(sound) > 1:
        where = "; ".join(", ".join(regions) for _, regions in sound.values())
        found.troubles.append(Trouble(_drill_of(key), where, "regions hold different evidence of one drill"))
    for piece, regions in list(sound.values())[:1]:
        found.pieces[key] = Piece(piece.past, piece.statement, piece.sha256, piece.signers, tuple(regions))


def read_piece(vault: Vault, asset: str, key: str, data: bytes) -> Piece:
    """The evidence in `data`, as `vault` trusts it; `IntegrityError` when it is forged, another's, or not by schema."""
    where = vault.where(key)
    past = parse_evidence(vault, asset, key, data)
    statement = decode_record(vault, key, data, STATEMENT)
    signers = _signers(vault, canonical.loads(data, where), data, where)
    kind = statement.get("predicateType")
    if kind not in (PREDICATE, PREDICATE_V1):
        raise IntegrityError(f"this is evidence of a kind that this version does not know: {kind!r}", where=where)
    problems = schema_problems(statement) if kind == PREDICATE else []
    if problems:
        raise IntegrityError(f"a statement is not as its schema says: {'; '.join(problems[:3])}", where=where)
    return Piece(past, statement, hashlib.sha256(data).hexdigest(), signers, (vault.region,))


def _signers(vault: Vault, record: Mapping[str, Any], data: bytes, where: str) -> tuple[str, ...]:
    if canonical.dumps(record) != data:
        raise IntegrityError("the bytes are not those that were written", where=where)
    if not vault.access.trusted:
        return ()
    signers = signing.signers_of(dict(record), vault.access.trusted)
    if not signing.is_exact(dict(record), signers):
        raise IntegrityError("something was added to the signed bytes or changed beside them", where=where)
    return tuple(signing.key_id(public) for public in signers)


def _drill_of(key: str) -> str:
    return key.rpartition("/")[2].removesuffix(".json")
