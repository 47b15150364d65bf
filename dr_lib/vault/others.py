"""The objects of a vault that no restore needs: events, evidence, indexes, records of runs, recovery kits, and the
vault's own record.

Each is compared with what its key promises, and all with the inventory that the last full verification left in its
event: so that one that was deleted, changed, swapped or put back as it was earlier is missed.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.format import entries, layout
from dr_lib.model.scrub import Scrub
from dr_lib.storage.base import ObjectInfo
from dr_lib.vault.events import read_event
from dr_lib.vault.object_check import check_object
from dr_lib.vault.vault import Vault

CheckRecord = Callable[[Vault, str, bytes], None]
"""Raises `IntegrityError` for the bytes of a run's record that are not what its key promises."""
Inventory = dict[str, dict[str, str]]
"""By point (or drill), by the start of the key's SHA-256: the start of the bytes' SHA-256, both 8 hex digits."""
READERS: Final = 8
LARGEST: Final = 1 << 30
_CLASSES: Final = {
    "v": layout.EVENTS,
    "e": layout.EVIDENCE,
    "i": layout.INDEX,
    "k": layout.KIT,
    "l": layout.LEASES,
    "r": layout.RUNS,
    "t": layout.TERMS,
}
_OF_THE_VAULT: Final[dict[str, Callable[[str], object]]] = {
    layout.KIT: layout.parse_kit_key,
    layout.TERMS: layout.parse_term_key,
    layout.LEASES: layout.parse_lease_key,
}
"""What belongs to no asset, and how its keys are read."""
_DIGITS: Final = 8


@dataclass(slots=True)
class Others:
    """What was found: words for people, whether each object is whole by its key, and what there should be.

    `inventory` is what to expect the next time: a changed or vanished object stays in it as it was. `lost` are those
    that vanished: the point, and the start of the SHA-256 of the key.
    """

    findings: list[str] = field(default_factory=list)
    whole: dict[str, bool] = field(default_factory=dict)
    inventory: Inventory = field(default_factory=dict)
    lost: list[tuple[str, str]] = field(default_factory=list)
    bytes_read: int = 0


def check_others(
    vault: Vault, asset: str, committed: Collection[str], past: Scrub | None, check_record: CheckRecord | None
) -> Others:
    """Read every such object of the asset, and the vault's own record. Damage is in the answer.

    `committed` are the asset's points here: what was left of a point that is gone with it is not missed. Without
    `check_record` records of runs are held against the inventory alone.
    """
    found = Others()
    given_up = frozenset(past.given_up if past else ())
    listed = list(_listed(vault, asset, committed))
    with ThreadPoolExecutor(READERS) as pool:
        read = list(pool.map(lambda info: _read(vault, info, check_record), listed))
    now: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for info, (digest, finding) in zip(listed, read, strict=True):
        found.bytes_read += info.size
        accepted = finding is None or f"{info.key} {info.tag}" in given_up
        found.whole[info.key] = accepted
        if finding is not None and not accepted:
            found.findings.append(finding)
        if info.key != layout.VAULT_KEY:
            point, name = named(info.key)
            now[point][name] = digest
    found.inventory = {point: dict(known) for point, known in now.items()}
    keys = {named(info.key)[1]: info for info in listed}
    _compare(vault, found, _expected(vault, asset, past, found), keys, given_up)
    _without_pruned(vault, asset, found, committed)
    return found


def named(key: str) -> tuple[str, str]:
    """How the inventory calls an object: the point (or drill) that its key names, and what tells it from others."""
    letter = next((letter for letter, prefix in _CLASSES.items() if key.startswith(prefix)), "?")
    return _point_of(key), letter + hashlib.sha256(key.encode()).hexdigest()[: _DIGITS - 1]


def packed(inventory: Inventory) -> dict[str, str]:
    """The inventory as it stands in an event."""
    return {
        point: "".join(name + digest for name, digest in sorted(known.items())) for point, known in inventory.items()
    }


def _unpacked(packed: object) -> Inventory:
    width = 2 * _DIGITS
    return {
        point: {text[at : at + _DIGITS]: text[at + _DIGITS : at + width] for at in range(0, len(text), width)}
        for point, text in entries.texts(packed).items()
    }


def _listed(vault: Vault, asset: str, committed: Collection[str]) -> Iterator[ObjectInfo]:
    with contextlib.suppress(NotFound):  # which is found when the vault is opened
        yield vault.store.head(layout.VAULT_KEY)
    for info in vault.store.list(f"{layout.EVENTS}{asset}/"):
        if layout.parse_event_key(info.key) is not None:
            yield info
    for info in vault.store.list(f"{layout.EVIDENCE}{asset}/"):
        if layout.is_evidence_key(info.key):
            yield info
    for prefix, parse in _OF_THE_VAULT.items():
        yield from (info for info in vault.store.list(prefix) if parse(info.key) is not None)
    yield from vault.store.list(f"{layout.RUNS}{asset}/")
    for info in vault.store.list(layout.INDEX):
        if _point_of(info.key) in committed:
            yield info


def _read(vault: Vault, info: ObjectInfo, check_record: CheckRecord | None) -> tuple[str, str | None]:
    """The start of the object's digest, and what is wrong with it."""
    if info.size > LARGEST:
        return "", f"{info.key} has {info.size} bytes, more than any such object [{vault.store.label}]"
    try:
        data = vault.store.get_range(info.key, 0, info.size)
    except (IntegrityError, NotFound) as error:
        return "", str(error)
    digest = hashlib.sha256(data).hexdigest()[:_DIGITS]
    try:
        if not info.key.startswith(layout.RUNS):
            check_object(vault, info.key, data)
        elif check_record is not None:
            check_record(vault, info.key, data)
    except IntegrityError as error:
        return digest, str(error)
    return digest, None


def _expected(vault: Vault, asset: str, past: Scrub | None, found: Others) -> Inventory:
    """The inventory that the last full verification left; what it cannot be read for is a finding."""
    if past is None or not past.baseline:
        return {}
    name = layout.parse_event_key(past.baseline)
    if name is None or name.asset != asset:
        found.findings.append(f"an event names no inventory [{vault.where(past.baseline)}]")
        return {}
    try:
        return _unpacked(read_event(vault, name)["inventory"])
    except NotFound:
        found.findings.append(f"the event that lists what there was is gone [{vault.where(past.baseline)}]")
    except IntegrityError:
        pass  # the event itself is a finding already
    except entries.ODD as error:
        found.findings.append(f"the inventory in an event does not parse: {error!r} [{vault.where(past.baseline)}]")
    return {}


def _compare(
    vault: Vault,
    found: Others,
    expected: Inventory,
    keys: Mapping[str, ObjectInfo],
    given_up: frozenset[str],
) -> None:
    for point, known in expected.items():
        now = found.inventory.setdefault(point, {})
        for name, digest in known.items():
            if name not in now:
                found.lost.append((point, name))
                now[name] = digest
            elif now[name] != digest:
                info = keys.get(name)
                now[name] = digest
                if info is None or f"{info.key} {info.tag}" in given_up:
                    continue
                if found.whole.get(info.key, False):
                    found.findings.append(f"an object is not the one that stood there before [{vault.where(info.key)}]")
                found.whole[info.key] = False


def _without_pruned(vault: Vault, asset: str, found: Others, committed: Collection[str]) -> None:
    """Miss what vanished, but for indexes and records of points that are not here any more: they went with it."""
    lost, found.lost = found.lost, []
    here = {point: _is_here(vault, asset, point) for point in {point for point, _ in lost} if point in committed}
    for point, name in lost:
        if name[0] in "veklt" or here.get(point, False):
            kind = _CLASSES.get(name[0], "?")
            about = f" about {point}" if point else ""
            found.findings.append(f"an object below {kind}{about} is gone [{vault.store.label}]")
            found.lost.append((point, name))
        else:
            del found.inventory[point][name]
    found.inventory = {point: known for point, known in found.inventory.items() if known}


def _is_here(vault: Vault, asset: str, point: str) -> bool:
    """Asked anew: a prune may have come since the listing."""
    try:
        vault.store.head(layout.manifest_key(asset, point))
    except NotFound:
        return False
    return True


def _point_of(key: str) -> str:
    """The point or drill that a key names."""
    match = layout.POINT_ID.search(key.rpartition("/")[2]) or layout.POINT_ID.search(key)
    return match[0] if match else ""
