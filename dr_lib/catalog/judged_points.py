"""What retention has to know of an asset's points, asked of every region. What a region does not say keeps points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from dr_lib.catalog.observe import Answer, observe
from dr_lib.errors import DrError
from dr_lib.format import layout
from dr_lib.model.copy import Copy, CopyState, KnownPoint
from dr_lib.model.hold import Hold
from dr_lib.policy.retention import PointFacts
from dr_lib.vault.holds import holds, quarantines
from dr_lib.vault.vault import Vault

_HELD_HERE: Final = (CopyState.VERIFIED, CopyState.COMPLETE, CopyState.DAMAGED)
UNNAMED: Final = "a hold that can no longer be read"


@dataclass
class _Words:
    """What regions say beside their copies, by point; `silent` are those that did not say it, and why."""

    stored: dict[str, datetime] = field(default_factory=dict)
    held: defaultdict[str, dict[str, Hold]] = field(default_factory=lambda: defaultdict(dict))
    distrusted: dict[str, datetime] = field(default_factory=dict)
    silent: dict[str, DrError] = field(default_factory=dict)

    def take(self, vault: Vault, asset: str) -> None:
        """Listen to one region: two listings more, and a get for each hold and quarantine."""
        for info in vault.store.list(f"{layout.POINTS}{asset}/"):
            if (name := layout.parse_manifest_key(info.key)) is not None:
                before = self.stored.get(name.point, info.modified_at)
                self.stored[name.point] = min(before, info.modified_at)
        for hold in holds(vault, asset):
            self.held[hold.point].setdefault(hold.name or UNNAMED, hold)
        for point, quarantine in quarantines(vault, asset).items():
            self.distrusted[point] = max(self.distrusted.get(point, quarantine.at), quarantine.at)


def judged_points(asset: str, answers: Mapping[str, Answer]) -> tuple[PointFacts, ...]:
    """Facts of every committed point of an asset, over all its regions. A silent region makes every point unknown: it
    may know of holds, and of copies, that nobody else does. Raises nothing for one."""
    known = observe(asset, answers)
    words = _Words(silent=dict(known.silent))
    for region, answer in answers.items():
        if isinstance(answer, Vault) and region not in words.silent:
            try:
                words.take(answer, asset)
            except DrError as error:
                words.silent[region] = error
    return tuple(_facts(point, words) for point in known.points if _committed(point))


def _committed(point: KnownPoint) -> list[Copy]:
    return [copy for copy in point.copies if copy.state in _HELD_HERE]


def _facts(point: KnownPoint, words: _Words) -> PointFacts:
    copies = _committed(point)
    unread = [copy.region for copy in point.copies if copy.state is CopyState.UNKNOWN]
    return PointFacts(
        point=point.point,
        created_at=point.created_at,
        stored_at=words.stored.get(point.point),
        regions=frozenset(copy.region for copy in copies),
        verified=frozenset(copy.region for copy in copies if copy.state is CopyState.VERIFIED),
        damaged=all(copy.state is CopyState.DAMAGED for copy in copies),
        holds=tuple(sorted(words.held.get(point.point, {}))),
        quarantined_at=words.distrusted.get(point.point),
        unknown=tuple(f"region {region} does not answer" for region in sorted({*unread, *words.silent})),
    )
