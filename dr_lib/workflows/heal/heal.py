"""Healing an asset's copies in one vault."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

from dr_lib.clock import Clock, monotonic
from dr_lib.errors import DrError, IntegrityError, NotFound, Refused
from dr_lib.format import layout
from dr_lib.model.manifest import PackRef, PointSummary
from dr_lib.model.scrub import Scrub
from dr_lib.progress import Progress
from dr_lib.storage.base import JanitorStore
from dr_lib.vault.chunk_index import index_of
from dr_lib.vault.claims import claim, claim_of
from dr_lib.vault.events import add_event
from dr_lib.vault.others import CheckRecord, Others, check_others, named, packed
from dr_lib.vault.run_keys import newest_generations
from dr_lib.vault.scrubs import last_scrub, record_scrub
from dr_lib.vault.vault import Vault
from dr_lib.vault.writers import refuse_unsigned
from dr_lib.workflows.heal.mend import Mender
from dr_lib.workflows.heal.offers import UNUSABLE, Offers, Remake
from dr_lib.workflows.heal.wounds import Mended, Proof, Unhealed, Wound

HEAL: Final = "heal"
STREAMS: Final = 2
"""Packs in flight; each takes up to three times its size in memory."""


@dataclass(frozen=True, slots=True)
class Help:
    """What a healing may use. `janitor` None with the `refusal` that says why; `sources` are other regions' vaults."""

    janitor: JanitorStore | None
    refusal: Refused | None
    sources: Sequence[Vault]
    check_record: CheckRecord | None
    remake: Remake


@dataclass(slots=True)
class Healed:
    """What a healing did. `given_up` are keys of damaged objects that nothing needs and nothing brings back."""

    region: str
    asset: str
    points: tuple[str, ...]
    mended: list[Mended] = field(default_factory=list)
    unhealed: list[Unhealed] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    seconds: float = 0.0
    refused: Refused | None = None


def heal(
    vault: Vault, asset: str, suspects: Collection[str], aid: Help, progress: Progress, clock: Clock, *, others: bool
) -> Healed:
    """Heal what the `suspects` (points) need in `vault`, and with `others` what no point needs.

    Every object of theirs is read and judged anew. Nothing is put anywhere but bytes that are proven against the
    object's own key, and a damaged object is kept aside first. A word of it is left in the vault. Safe to be killed
    anywhere and to run again. Raises `StoreUnavailable` (6) when `vault` stops answering.
    """
    started = monotonic()
    refuse_unsigned(vault)
    proof = Proof(vault, aid.check_record)
    mender = Mender(proof, Offers(aid.janitor, aid.sources, aid.remake, []), aid.janitor, aid.refusal)
    done = Healed(vault.region, asset, tuple(sorted(suspects)))
    work = _Healing(vault, asset, aid, proof, mender, done)
    work.points(progress)
    found = work.others(clock) if others else None
    done.seconds = monotonic() - started
    work.record(found, clock)
    return done


@dataclass(slots=True)
class _Healing:
    vault: Vault
    asset: str
    aid: Help
    proof: Proof
    mender: Mender
    done: Healed
    whole: set[str] = field(default_factory=set)

    def points(self, progress: Progress) -> None:
        """Manifests first, for they say what else is needed; then run keys, then packs."""
        packs: dict[str, PackRef] = {}
        keys: set[str] = set()
        for point in self.done.points:
            summary = self._manifest(point)
            packs |= {ref.sha256: ref for ref in summary.packs} if summary else {}
            keys |= set(summary.keys) if summary else set()
        self._run_keys(keys)
        refs = sorted(packs.values(), key=lambda ref: ref.sha256)
        progress.start(sum(ref.size for ref in refs), f"heal {self.vault.region}")
        with ThreadPoolExecutor(STREAMS) as pool:
            for _ in pool.map(lambda ref: self._pack(ref, progress), refs):
                pass
        progress.finish()

    def _manifest(self, point: str) -> PointSummary | None:
        """What the point needs, once its manifest is whole. While that was gone a prune may have planned to delete what
        it needs: one that stands here again claims it, as at a commit."""
        mended = len(self.done.mended)
        self._mend_all([layout.manifest_key(self.asset, point)], needed=True)
        summary = self._summary(point)
        if summary is not None and len(self.done.mended) > mended:
            claim(self.vault, self.asset, point, claim_of(summary.packs, summary.keys))
        return summary

    def others(self, clock: Clock) -> Others:
        """Events, evidence, indexes and records of runs; what cannot be had again is given up, and said."""
        past = last_scrub(self.vault, list(self.vault.events(self.asset)), clock())
        committed = {name.point for name in self.vault.points(self.asset)}
        found = check_others(self.vault, self.asset, committed, past, self.aid.check_record)
        damaged = [key for key, whole in found.whole.items() if not whole]
        self._vanished(found.lost)
        for key in damaged:
            self._other(key)
        if not found.findings:
            return found
        accepted = (*(past.given_up if past else ()), *self.done.given_up)
        bare = replace(past, baseline="", given_up=accepted) if past else None
        return check_others(self.vault, self.asset, committed, bare, self.aid.check_record)

    def record(self, found: Others | None, clock: Clock) -> None:
        """One event with what was done, and one with how things stand."""
        at, done = clock(), self.done
        run = layout.point_id(at, secrets.token_bytes(4))
        facts = {
            "points": list(done.points),
            "healed": [[one.key, one.was, one.origin] for one in done.mended],
            "unhealed": [[one.key, one.why] for one in done.unhealed],
            "given_up": list(done.given_up),
        }
        add_event(self.vault, HEAL, self.asset, run, at, facts)
        past = last_scrub(self.vault, list(self.vault.events(self.asset)), at)
        bad = {one.key for one in done.unhealed}
        before = set(past.damaged) if past else set()
        given_up = {text.partition(" ")[0] for text in done.given_up}
        scrub = Scrub(
            region=self.vault.region,
            asset=self.asset,
            run=run,
            mode=HEAL,
            at=at,
            seconds=done.seconds,
            points=len(done.points),
            bytes_read=0,
            damaged=tuple(sorted((before - self.whole - given_up) | bad)),
            given_up=tuple(sorted({*(past.given_up if past else ()), *done.given_up})),
            unnamed=past.unnamed if past else (),
            cursor=past.cursor if past else "",
            coverage=past.coverage if past else (),
            baseline=past.baseline if past else "",
            covered=past.covered if past else None,
            inventory=packed(found.inventory) if found is not None else None,
        )
        record_scrub(self.vault, scrub)

    def _mend_all(self, keys: Iterable[str], *, needed: bool) -> None:
        for key in keys:
            wound = self.proof.examine(key)
            if wound is None:
                self.whole.add(key)
            else:
                self._mend(wound, needed=needed)

    def _mend(self, wound: Wound, *, needed: bool) -> bool:
        try:
            mended = self.mender.mend(wound)
        except Refused as error:
            self.done.refused = self.done.refused or error
            self.done.unhealed.append(Unhealed(wound.key, str(error), needed))
            return False
        if mended is not None:
            self.done.mended.append(mended)
            self.whole.add(wound.key)
        elif needed:
            self.done.unhealed.append(Unhealed(wound.key, f"{wound.why}; {_NOWHERE}", needed))
        return mended is not None

    def _summary(self, point: str) -> PointSummary | None:
        """What a point needs: from this vault's manifest, which is whole if anybody had a whole one."""
        try:
            return self.vault.parse_clear(self.asset, point, self.vault.manifest_bytes(self.asset, point))
        except (IntegrityError, NotFound):
            return None

    def _pack(self, ref: PackRef, progress: Progress) -> None:
        self._mend_all([layout.pack_key(ref.sha256)], needed=True)
        progress.advance(ref.size)

    def _run_keys(self, ids: Collection[str]) -> None:
        """The newest generation of each: its own bytes again, else another region's newest where that counts more."""
        here = newest_generations(self.vault.store) if ids else {}
        for key_id in sorted(ids):
            name = here.get(key_id) or self._deleted(key_id)
            wound = self.proof.examine(name.key) if name else Wound(f"{layout.KEYS}{key_id}/", "it is gone", None)
            if wound is None:
                self.whole.add(name.key if name else "")
            elif not (name and self._mend(wound, needed=False)) and not self._other_generation(key_id, name):
                self.done.unhealed.append(Unhealed(wound.key, f"{wound.why}; {_NOWHERE}", needed=True))

    def _deleted(self, key_id: str) -> layout.RunKeyName | None:
        """The newest generation among versions of which only a mark of deletion is to be seen."""
        if self.aid.janitor is None:
            return None
        found = (layout.parse_run_key_key(one.key) for one in self.aid.janitor.versions(f"{layout.KEYS}{key_id}/"))
        return max((name for name in found if name is not None), default=None)

    def _other_generation(self, key_id: str, name: layout.RunKeyName | None) -> bool:
        for source in self.aid.sources:
            with_it = _newest_or_none(source, key_id)
            if with_it is None or (name is not None and with_it < name):
                continue
            data = source.store.get(with_it.key)
            if self.proof.accepts(with_it.key, data):
                self.mender.put(Wound(with_it.key, "it is gone", None), data)
                self.done.mended.append(Mended(with_it.key, "missing", f"region {source.region}"))
                return True
        return False

    def _vanished(self, lost: Sequence[tuple[str, str]]) -> None:
        """Evidence and kits that vanished are created again from a region that has them; they are the same in each."""
        wanted = set(lost)
        for source in self.aid.sources if wanted else ():
            for key in _same_in_each(source, self.asset):
                if named(key) in wanted and self._mend(Wound(key, "it is gone", None), needed=False):
                    wanted.discard(named(key))

    def _other(self, key: str) -> None:
        wound = self.proof.examine(key) or self._replayed(key)
        if key.startswith(layout.INDEX):
            self._index(wound)
        elif not self._mend(wound, needed=False) and wound.info is not None and self.done.refused is None:
            self.done.given_up.append(f"{key} {wound.info.tag}")

    def _index(self, wound: Wound) -> None:
        """An index is made anew from the packs' own tables."""
        point = layout.POINT_ID.search(wound.key)
        summary = self._summary(point[0]) if point is not None else None
        data = index_of(self.vault, summary.packs if summary else ())
        try:
            self.mender.put(wound, data)
        except Refused as error:
            self.done.refused = self.done.refused or error
            self.done.unhealed.append(Unhealed(wound.key, str(error), needed=False))
        else:
            self.done.mended.append(Mended(wound.key, "damaged", "the packs"))

    def _replayed(self, key: str) -> Wound:
        return Wound(key, "it is not the one that stood there before", self.vault.store.head(key))


_NOWHERE: Final = "no other region, older version or source has it whole"


def _newest_or_none(source: Vault, key_id: str) -> layout.RunKeyName | None:
    try:
        return newest_generations(source.store).get(key_id)
    except UNUSABLE:
        return None


def _same_in_each(source: Vault, asset: str) -> Iterator[str]:
    try:
        yield from [i.key for i in source.store.list(f"{layout.EVIDENCE}{asset}/") if layout.is_evidence_key(i.key)]
        yield from [i.key for i in source.store.list(layout.KIT) if layout.parse_kit_key(i.key) is not None]
        yield from [i.key for i in source.store.list(layout.TERMS) if layout.parse_term_key(i.key) is not None]
        yield from [i.key for i in source.store.list(layout.LEASES) if layout.parse_lease_key(i.key) is not None]
    except DrError:
        return
