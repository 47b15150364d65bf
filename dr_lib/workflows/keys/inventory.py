"""Which wrapped run keys a vault holds, and which of them are not for today's recipients; from names alone."""

from __future__ import annotations

from dataclasses import dataclass

from dr_lib.format import layout
from dr_lib.format.layout import RunKeyName
from dr_lib.storage.base import ObjectStore


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every generation of every run key of a vault."""

    names: tuple[RunKeyName, ...]

    @property
    def newest(self) -> tuple[RunKeyName, ...]:
        """The generation of each run key that readers take, sorted by id."""
        return tuple({name.id: name for name in sorted(self.names)}.values())

    def due(self, fingerprint: str) -> tuple[RunKeyName, ...]:
        """The newest generations that are for others than the recipients of that fingerprint."""
        return tuple(name for name in self.newest if name.recipients != fingerprint)

    def left_behind(self, fingerprint: str) -> int:
        """How many older generations others than those recipients can still open."""
        return sum(name.recipients != fingerprint for name in set(self.names) - set(self.newest))


def take(store: ObjectStore) -> Inventory:
    """What a store holds, from one listing; what has another name is left out."""
    names = (layout.parse_run_key_key(info.key) for info in store.list(layout.KEYS))
    return Inventory(tuple(name for name in names if name is not None))
