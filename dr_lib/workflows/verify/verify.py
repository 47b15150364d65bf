"""Verification of an asset's copies in one vault: by their structure, by a sample, or in full."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from dr_lib.clock import Clock, monotonic
from dr_lib.format import layout
from dr_lib.model.copy import Verification
from dr_lib.model.scrub import Coverage, Scrub, Span
from dr_lib.policy import scrub_plan
from dr_lib.progress import Progress
from dr_lib.vault.others import CheckRecord, Others, check_others, packed
from dr_lib.vault.scrubs import last_scrub, record_scrub
from dr_lib.vault.summary_cache import SummaryCache
from dr_lib.vault.vault import Vault
from dr_lib.vault.verifications import KIND as VERIFICATION
from dr_lib.vault.verifications import record_verification
from dr_lib.vault.writers import refuse_unsigned
from dr_lib.workflows.verify.manifests import Needs, read_clear, read_whole
from dr_lib.workflows.verify.packs import read_packs
from dr_lib.workflows.verify.stock import Copy, Stock, confirm_absent, take_stock, vanished
from dr_lib.workflows.verify.walk import item_of, items_of, read_items, users_of

WITHIN = timedelta(days=30)
_NEEDED = (layout.PACKS, layout.KEYS, layout.POINTS)
"""Below these lies what points need; the rest is looked at by full runs alone."""


class Mode(StrEnum):
    """How deep.

    `structure`: each manifest is sound and every object that it needs is there with its size, from a listing alone.
    `sample`: also the next part of all bytes is what its names promise. `full`: also every byte is read and decoded,
    and the objects that no point needs hold too.
    """

    STRUCTURE = "structure"
    SAMPLE = "sample"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Asked:
    """What to verify. `points` None for all, those that have vanished included; `fine` are left out of it.

    `percent` of the bytes are read by a sample; None for as many as it takes to read all `within` that time.
    """

    mode: Mode
    points: Collection[str] | None = None
    fine: Collection[str] = ()
    within: timedelta = WITHIN
    percent: float | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What a run found: a result for each point, the run itself, and how far all bytes were read again by now."""

    results: tuple[Verification, ...]
    scrub: Scrub
    coverage: Coverage

    @property
    def ok(self) -> bool:
        """Whether nothing at all was found wrong."""
        return not self.scrub.findings and all(result.ok for result in self.results)


@dataclass(slots=True)
class _Work:
    """One run under way."""

    vault: Vault
    asset: str
    asked: Asked
    stock: Stock
    past: Scrub | None
    copies: list[Copy] = field(default_factory=list)
    whole: dict[str, bool] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    others: Others | None = None
    cursor: str = ""
    coverage: tuple[Span, ...] = ()

    @property
    def is_of_all(self) -> bool:
        """Whether every point is looked at."""
        return self.asked.points is None and not self.asked.fine


def verify(
    vault: Vault,
    asset: str,
    asked: Asked,
    progress: Progress,
    clock: Clock,
    cache: SummaryCache | None = None,
    check_record: CheckRecord | None = None,
) -> Verified:
    """Verify points of one asset in one vault; a word of the run is recorded in it, whatever was found.

    A full result, and every damage, is an event of its point too. Damage is a result, not an error: look at
    `Verified.ok`. An object that several points share is read once. `cache` spares reading manifests that were read
    before; `full` reads them all the same. Raises `StoreUnavailable` (6) when the store stops answering; nothing is
    recorded then. Safe to retry.
    """
    started, now = monotonic(), clock()
    refuse_unsigned(vault)
    cache = cache or SummaryCache(None)
    cache.load()
    stock = take_stock(vault, asset)
    past = last_scrub(vault, stock.events, now)
    work = _Work(vault, asset, asked, stock, past, cursor=past.cursor if past else "")
    work.coverage = past.coverage if past else ()
    due = _due(work, vanished(vault, asset, stock, past, cache.names()))
    if asked.mode is Mode.FULL:
        _read_all(work, due, progress, now)
    else:
        work.copies = read_clear(vault, asset, due, stock.manifests, cache)
        _check_listed(work)
        if asked.mode is Mode.SAMPLE:
            _read_sample(work, progress, now)
    return _recorded(work, check_record, clock(), monotonic() - started)


def _due(work: _Work, gone: Iterable[str]) -> list[str]:
    known = {*work.stock.manifests, *gone}
    wanted = known if work.asked.points is None else known.intersection(work.asked.points)
    return sorted(wanted.difference(work.asked.fine))


def _read_all(work: _Work, due: Sequence[str], progress: Progress, now: datetime) -> None:
    needs = Needs()
    work.copies = read_whole(work.vault, work.asset, due, needs)
    _check_listed(work)
    _read_now(work, read_packs(work.vault, needs, work.stock.packs, progress))
    users = users_of(work.asset, work.copies, work.stock)
    keys = sorted(map(item_of, work.stock.run_keys.values()), key=lambda item: item.key)
    _read_now(work, read_items(work.vault, keys, users, progress))
    work.read |= {layout.manifest_key(work.asset, copy.point) for copy in work.copies}
    if work.is_of_all:
        work.coverage, work.cursor = scrub_plan.everything(now), ""


def _idle(work: _Work) -> list[str]:
    """Damaged run keys that no point needs: older generations, and those of runs that died."""
    users = users_of(work.asset, work.copies, work.stock)
    return [key for key in work.stock.run_keys if not work.whole[key] and key not in users]


def _read_now(work: _Work, whole: Mapping[str, bool]) -> None:
    work.whole |= whole
    work.read |= set(whole)


def _read_sample(work: _Work, progress: Progress, now: datetime) -> None:
    users = users_of(work.asset, work.copies, work.stock)
    items = [item for item in items_of(users, work.stock) if work.whole.get(item.key, True)]
    if not items:
        return
    gap = now - work.past.at if work.past is not None and work.coverage else None
    percent = work.asked.percent
    part = scrub_plan.share(gap, work.asked.within) if percent is None else percent / 100
    chosen = scrub_plan.sample(items, work.cursor, part)
    _read_now(work, read_items(work.vault, chosen, users, progress))
    if work.is_of_all:
        last = chosen[-1].key
        all_of_it = len(chosen) == len(items)
        work.coverage = (
            scrub_plan.everything(now) if all_of_it else scrub_plan.extended(work.coverage, work.cursor, last, now)
        )
        work.cursor = last


def _check_listed(work: _Work) -> None:
    """Every pack is listed with its size, and every run key is there. What no list shows is asked for by name."""
    stock = work.stock
    needed = {layout.pack_key(ref.sha256) for copy in work.copies for ref in copy.packs}
    absent = confirm_absent(work.vault, needed.difference(stock.packs))
    for copy in work.copies:
        work.whole[layout.manifest_key(work.asset, copy.point)] = copy.sound
        for ref in copy.packs:
            key = layout.pack_key(ref.sha256)
            found = stock.packs.get(key)
            if found is not None and found.size != ref.size:
                copy.findings.append(f"pack {ref.sha256} has {found.size} bytes where {ref.size} are right")
                work.whole[key] = False
            elif key in absent:
                copy.findings.append(f"pack {ref.sha256} is gone")
                work.whole[key] = False
        copy.findings += [f"run key {key} is gone" for key in copy.keys if key not in stock.newest]


def _recorded(work: _Work, check_record: CheckRecord | None, at: datetime, seconds: float) -> Verified:
    """Leave the word of the run: its damage first, so that a run that dies in between has hidden none.

    The other objects are looked at behind that, so that the inventory has these words too.
    """
    results = tuple(_result(work, copy, at, seconds) for copy in work.copies)
    for result in results:
        if work.asked.mode is Mode.FULL or not result.ok:
            record_verification(work.vault, result)
    if work.asked.mode is Mode.FULL and work.is_of_all:
        work.others = check_others(work.vault, work.asset, work.stock.manifests, work.past, check_record)
        work.others.findings += [f"{key} is damaged [{work.vault.store.label}]" for key in _idle(work)]
        work.whole |= work.others.whole
    items = items_of(users_of(work.asset, work.copies, work.stock), work.stock)
    coverage = scrub_plan.measured(items, work.coverage, at, work.asked.within)
    scrub = _scrub(work, results, _covered(work, coverage, at), at, seconds)
    if work.copies or (work.is_of_all and work.past is not None):
        record_scrub(work.vault, scrub)
    return Verified(results, scrub, coverage)


def _covered(work: _Work, coverage: Coverage, at: datetime) -> Coverage | None:
    """How far all bytes were read, also when this run looked at some points alone."""
    if work.is_of_all or work.past is None or work.past.covered is None:
        return coverage if work.is_of_all else None
    return scrub_plan.aged(work.past.covered, at - work.past.at)


def _result(work: _Work, copy: Copy, at: datetime, seconds: float) -> Verification:
    return Verification(
        region=work.vault.region,
        asset=work.asset,
        point=copy.point,
        manifest_sha256=copy.manifest_sha256,
        mode=work.asked.mode.value,
        finished_at=at,
        seconds=seconds,
        bytes_read=copy.bytes_read,
        findings=tuple(copy.findings),
    )


def _scrub(
    work: _Work, results: Sequence[Verification], covered: Coverage | None, at: datetime, seconds: float
) -> Scrub:
    named = {event.point for event in work.stock.events if event.kind == VERIFICATION}
    named |= {result.point for result in results if work.asked.mode is Mode.FULL or not result.ok}
    damaged = _damaged_before(work).difference(key for key, whole in work.whole.items() if whole)
    damaged |= {key for key, whole in work.whole.items() if not whole}
    others = work.others or Others()
    return Scrub(
        region=work.vault.region,
        asset=work.asset,
        run=layout.point_id(at, secrets.token_bytes(4)),
        mode=work.asked.mode.value,
        at=at,
        seconds=seconds,
        points=len(results),
        bytes_read=_bytes_read(work),
        findings=tuple(others.findings),
        damaged=tuple(sorted(damaged)),
        given_up=work.past.given_up if work.past else (),
        unnamed=tuple(sorted(set(work.stock.manifests) - named)),
        cursor=work.cursor,
        coverage=work.coverage,
        baseline=work.past.baseline if work.past else "",
        covered=covered,
        inventory=None if work.others is None else packed(others.inventory),
    )


def _damaged_before(work: _Work) -> set[str]:
    """What is known to be damaged by then, without what no point needs any more."""
    before = set(work.past.damaged) if work.past else set()
    if not work.is_of_all:
        return before
    needed = users_of(work.asset, work.copies, work.stock)
    return {key for key in before if key in needed or not key.startswith(_NEEDED)}


def _bytes_read(work: _Work) -> int:
    """Each object once, however many points share it."""
    sizes = {info.key: info.size for info in work.stock.manifests.values()}
    sizes |= {key: info.size for key, info in (work.stock.packs | work.stock.run_keys).items()}
    others = work.others.bytes_read if work.others is not None else 0
    return sum(sizes.get(key, 0) for key in work.read) + others
