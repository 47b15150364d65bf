"""Holds: reasons why a point must not be deleted, kept in every region that has the point."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from dr_lib.catalog.answers import kept_in, open_or_raise
from dr_lib.errors import DrError, NotFound, UsageError
from dr_lib.format.canonical import time_text
from dr_lib.model.hold import Hold
from dr_lib.model.region import Role
from dr_lib.use_cases.over_config import Document, OverConfig
from dr_lib.vault.holds import add_hold, holds, release_hold
from dr_lib.vault.vault import Vault

_LATER = timedelta(microseconds=1)


class Holding(OverConfig):
    """Holds: reasons why a point must not be deleted, kept in every region that has the point."""

    def add_hold(self, asset: str, point: str, name: str, reason: str) -> Document:
        """Hold a point in all regions of its asset that have it. Safe to repeat.

        A region that does not answer, or whose copy was deleted at this very moment, is said as an error when the
        others hold it. `NotFound` (5) when no region has the point.
        """
        _must_say(name=name, reason=reason)

        def work(vault: Vault) -> bool:
            if not _has(vault, asset, point):
                return False
            if not any((h.point, h.name) == (point, name) for h in holds(vault, asset)):
                add_hold(vault, Hold(asset, point, name, reason, self._wiring.clock()))
            if not _has(vault, asset, point):
                raise NotFound(f"{point} was deleted before it was held", where=vault.store.label)
            return True

        return self._everywhere(asset, point, work, f"no region has a point {point!r} of {asset!r}") | {"name": name}

    def remove_hold(self, asset: str, point: str, name: str, reason: str) -> Document:
        """Take the holds of that name back in all regions. `NotFound` (5) when there is none."""
        _must_say(name=name, reason=reason)

        def work(vault: Vault) -> bool:
            found = [h.at for h in holds(vault, asset) if (h.point, h.name) == (point, name)]
            if found:
                release_hold(vault, asset, point, name, reason, self._after(found))
            return bool(found)

        return self._everywhere(asset, point, work, f"nothing called {name!r} holds {point} of {asset!r}") | {
            "name": name
        }

    def list_holds(self, asset: str | None = None) -> Document:
        """Holds in force, by point, and the regions that know of them; `silent` regions may know of more."""
        names = [self.config.asset(asset).name] if asset else list(self.config.assets)
        answers = self._wiring.answers(list(dict.fromkeys(r for n in names for r in self.config.asset(n).regions)))
        failed: list[DrError] = []
        held: dict[tuple[str, str, str | None], Document] = {}
        for name in names:
            for region in self.config.asset(name).regions:
                with kept_in(failed):
                    vault = open_or_raise(answers[region])
                    for hold in holds(vault, name):
                        held.setdefault((name, hold.point, hold.name), _hold(hold))["regions"].append(region)
        silent = list(dict.fromkeys(str(error) for error in failed))
        return {"holds": list(held.values()), "silent": silent}

    def _after(self, moments: Iterable[datetime]) -> datetime:
        """Now, or just after the last of those moments: what takes something back must come after it."""
        return max(self._wiring.clock(), max(moments) + _LATER)

    def _everywhere(self, asset: str, point: str, work: Callable[[Vault], bool], otherwise: str) -> Document:
        """Do `work` in every region of the asset; where it did something. The first error is raised when all had
        their turn, and says where the rest was done."""
        failed: list[DrError] = []
        done: list[str] = []
        for region, answer in self._wiring.answers(self.config.asset(asset).regions, Role.VERIFIER).items():
            with kept_in(failed):
                if work(open_or_raise(answer)):
                    done.append(region)
        if failed:
            raise _partly(failed[0], done)
        if not done:
            raise NotFound(otherwise, hint=f"`drctl points {asset}` and `drctl hold list {asset}` list what there is")
        return {"asset": asset, "point": point, "regions": done}


def _partly(error: DrError, done: list[str]) -> DrError:
    said = f"done in {', '.join(done)}, but not everywhere: {error.what}" if done else error.what
    return type(error)(said, where=error.where, hint=error.hint or "give the command again when the region answers")


def _has(vault: Vault, asset: str, point: str) -> bool:
    return any(name.point == point for name in vault.points(asset))


def _must_say(**texts: str) -> None:
    for name, text in texts.items():
        if not text.strip():
            raise UsageError(f"the {name} is empty", hint=f"--{name} takes a few words for whoever reads them later")


def _hold(hold: Hold) -> Document:
    return {
        "asset": hold.asset,
        "point": hold.point,
        "name": hold.name,
        "reason": hold.reason,
        "at": time_text(hold.at),
        "regions": [],
    }
