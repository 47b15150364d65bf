"""What a vault holds of an asset, from one pass of listing; and what is known of each point so far."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.format import layout
from dr_lib.format.layout import EventName, RunKeyName
from dr_lib.model.manifest import PackRef
from dr_lib.model.scrub import Scrub
from dr_lib.storage.base import ObjectInfo
from dr_lib.storage.missing import ContainerMissing
from dr_lib.vault.events import read_event
from dr_lib.vault.expiries import EXPIRY
from dr_lib.vault.vault import Vault
from dr_lib.vault.verifications import KIND as VERIFICATION

READERS = 8


@dataclass(frozen=True, slots=True)
class Stock:
    """Listed objects. `manifests` by point, `packs` and `run_keys` by key; `newest` run keys by id."""

    manifests: dict[str, ObjectInfo]
    events: tuple[EventName, ...]
    packs: dict[str, ObjectInfo]
    run_keys: dict[str, ObjectInfo]
    newest: dict[str, RunKeyName]


@dataclass(slots=True)
class Copy:
    """What is known so far about one point in this vault; `sound`: its manifest is."""

    point: str
    sound: bool = True
    manifest_sha256: str = hashlib.sha256(b"").hexdigest()
    packs: tuple[PackRef, ...] = ()
    keys: tuple[str, ...] = ()
    bytes_read: int = 0
    findings: list[str] = field(default_factory=list)


def take_stock(vault: Vault, asset: str) -> Stock:
    """One pass. Manifests come first: what a point needs was stored before it, so that no backup that runs meanwhile
    looks like damage."""
    manifests: dict[str, ObjectInfo] = {}
    for info in vault.store.list(f"{layout.POINTS}{asset}/"):
        name = layout.parse_manifest_key(info.key)
        if name is not None:
            manifests[name.point] = info
    events = tuple(vault.events(asset))
    packs = {info.key: info for info in vault.store.list(layout.PACKS)}
    run_keys = {info.key: info for info in vault.store.list(layout.KEYS)}
    newest: dict[str, RunKeyName] = {}
    for key in run_keys:
        found = layout.parse_run_key_key(key)
        if found is not None and (found.id not in newest or newest[found.id] < found):
            newest[found.id] = found
    return Stock(manifests, events, packs, run_keys, newest)


def vanished(vault: Vault, asset: str, stock: Stock, past: Scrub | None, remembered: Collection[str]) -> set[str]:
    """Points that were here by the word of events, of the last run or of this machine's cache (keys of manifests), and
    of which nobody says why they are not any more. Each is asked for once more: a list may lag behind."""
    named = {event.point for event in stock.events if event.kind == VERIFICATION}
    cached = {name.point for key in remembered if (name := layout.parse_manifest_key(key)) and name.asset == asset}
    seen = named | cached | set(past.unnamed if past is not None else ())
    missing = seen - set(stock.manifests)
    missing -= {event.point for event in stock.events if event.point in missing and _is_expiry(vault, event)}
    absent = confirm_absent(vault, [layout.manifest_key(asset, point) for point in sorted(missing)])
    return {point for point in missing if layout.manifest_key(asset, point) in absent}


def _is_expiry(vault: Vault, event: EventName) -> bool:
    """Whether this is the readable word of a prune; one that cannot be read explains nothing."""
    if event.kind != EXPIRY:
        return False
    try:
        read_event(vault, event)
    except (IntegrityError, NotFound):
        return False
    return True


def confirm_absent(vault: Vault, keys: Iterable[str]) -> set[str]:
    """Those of the keys that the store says are not there, each asked for by its name."""
    wanted = list(keys)
    with ThreadPoolExecutor(READERS) as pool:
        return {
            key for key, absent in zip(wanted, pool.map(lambda k: _absent(vault, k), wanted), strict=True) if absent
        }


def _absent(vault: Vault, key: str) -> bool:
    try:
        vault.store.head(key)
    except ContainerMissing:
        raise
    except NotFound:
        return True
    return False
