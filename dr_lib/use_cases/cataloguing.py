"""The catalog: made from what the regions hold, and asked instead of them where an answer may be minutes old."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dr_lib.errors import DrError, UsageError
from dr_lib.format.canonical import time_text
from dr_lib.format.layout import evidence_key
from dr_lib.keys import SecretSource
from dr_lib.model.catalog import DrillEntry, RegionEntry, Snapshot
from dr_lib.telemetry import workflow
from dr_lib.use_cases.drill_results import digest_of
from dr_lib.use_cases.looking import look_at
from dr_lib.use_cases.over_config import Document, OverConfig
from dr_lib.use_cases.snapshot import snapshot_of
from dr_lib.vault.evidence import PastDrill
from dr_lib.wiring import state_directory

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from dr_lib.catalog.db.opening import CatalogDb
    from dr_lib.catalog.db.reading import View


class Cataloguing(OverConfig):
    """The catalog. Its database is opened when it is asked for."""

    @workflow("refresh-catalog")
    def refresh_catalog(self, assets: Sequence[str] = ()) -> Document:
        """Look at these assets (all, when none are named) and write what is seen into the catalog, each as it is seen.

        `{"assets": [{"asset", "points", "problems", "observed_at"}], "forgotten": [asset], "ok": bool}`; ok when no
        problem was seen. Raises what the database raises; a silent region is a problem of its assets. Safe to repeat.
        """
        from dr_lib.catalog.db.writing import forget_others, replace

        named = [self.config.asset(name) for name in assets] or list(self.config.assets.values())
        answers = self._wiring.answers(sorted({region for asset in named for region in asset.regions}))
        database, told = self._catalog(), []
        for asset in named:
            own = {region: answers[region] for region in asset.regions}
            seen = look_at(asset, own, self.config.encryption, self._wiring.clock(), self._known_drills(asset.name))
            snapshot = snapshot_of(asset, seen)
            with database.writing() as connection:
                replace(connection, snapshot)
            told.append(_refreshed(snapshot))
        forgotten: list[str] = []
        if not assets:
            with database.writing() as connection:
                forgotten = forget_others(connection, self.config.assets)
        return {"assets": told, "forgotten": forgotten, "ok": not any(one["problems"] for one in told)}

    def rebuild_catalog(self) -> Document:
        """Throw the catalog away and make it anew; as `refresh_catalog`."""
        from dr_lib.catalog.db.writing import forget_others

        with self._catalog().writing() as connection:
            forget_others(connection, ())
        return self.refresh_catalog()

    def overview(self) -> Document:
        """Is everything protected, and since when not: of all assets, from the catalog.

        `{"protected", "failing", "unknown", "never_seen", "failing_since", "observed_at"}`.
        """
        from dr_lib.catalog.db import reading

        found = self._asked(reading.overview)
        seen = found.protected + found.failing + found.unknown
        return _document(found) | {"never_seen": max(0, len(self.config.assets) - seen)}

    def asset_views(self, search: str = "", offset: int = 0, limit: int = 100) -> list[Document]:
        """A page of assets with their regions, those that fail first, from the catalog."""
        from dr_lib.catalog.db import reading

        found = self._asked(
            lambda connection, view: reading.assets(connection, view, search=search, offset=offset, limit=limit)
        )
        return [self._view(one) for one in found]

    def every_asset_view(self) -> list[Document]:
        """All assets with their regions, those that fail first, from the catalog."""
        from dr_lib.catalog.db.reading import MOST

        found: list[Document] = []
        while page := self.asset_views(offset=len(found), limit=MOST):
            found += page
            if len(page) < MOST:
                break
        return found

    def asset_view(self, asset: str) -> Document:
        """One asset with its regions, from the catalog."""
        from dr_lib.catalog.db import reading

        return self._view(self._asked(lambda connection, view: reading.asset(connection, view, asset)))

    def point_views(self, asset: str, before: str = "", limit: int = 100) -> list[Document]:
        """A page of an asset's points, newest first, from the catalog."""
        from dr_lib.catalog.db import reading

        found = self._asked(lambda connection, _: reading.points(connection, asset, before=before, limit=limit))
        return [_document(one) for one in found]

    def point_view(self, asset: str, point: str) -> Document:
        """One point, from the catalog."""
        from dr_lib.catalog.db import reading

        return _document(self._asked(lambda connection, _: reading.point(connection, asset, point)))

    def drill_views(self, asset: str, scenario: str = "", limit: int = 60) -> list[Document]:
        """An asset's newest drills, the newest first, from the catalog."""
        from dr_lib.catalog.db import reading

        found = self._asked(lambda connection, _: reading.drills(connection, asset, scenario=scenario, limit=limit))
        digest = digest_of(self.config.assets[asset]) if asset in self.config.assets else ""
        return [_document(one) | {"policy_current": one.policy_sha256 == digest} for one in found]

    def _view(self, found: Any) -> Document:
        now = self._wiring.clock()
        entry = found.entry
        return _document(entry) | {
            "protection": found.protection.value,
            "rpo_s": _age(entry.verified_at, now),
            "regions": [_region_view(one, now) for one in found.regions],
        }

    def _asked(self, question: Callable[[Any, View], Any]) -> Any:
        from dr_lib.catalog.db.reading import View

        view = View(self._wiring.clock(), self.config.catalog.stale_after)
        with self._catalog().reading() as connection:
            return question(connection, view)

    def _known_drills(self, asset: str) -> dict[str, PastDrill]:
        """Evidence that was read before is not read again; that it is still as it was is `drctl evidence verify`'s."""
        from dr_lib.catalog.db import reading

        with suppress(DrError), self._catalog().reading() as connection:
            return {one.drill: _past(asset, one) for one in reading.drills(connection, asset)}
        return {}

    def _catalog(self) -> CatalogDb:
        from dr_lib.catalog.db.opening import CatalogDb

        return CatalogDb(self.catalog_url())

    def catalog_url(self) -> str:
        """Where the catalog is, as a URL of SQLAlchemy's. It may hold a password: for no log."""
        url = self.config.catalog.url
        if url.startswith(("env:", "file:")):
            url = SecretSource(self._wiring.environ, None).text(url) or ""
            if not url:
                what = f"{self.config.catalog.url} does not hold the catalog's URL"
                raise UsageError(what, where="catalog.url", hint="put it there, or name another place")
        folder = state_directory(self._wiring.environ, self.config.path)
        return url or f"sqlite:///{folder / 'catalog.sqlite'}"


def _past(asset: str, one: DrillEntry) -> PastDrill:
    return PastDrill(
        drill=one.drill,
        verdict=one.verdict,
        finished_at=time_text(one.finished_at),
        rto_s=one.rto_s,
        rpo_s=one.rpo_s,
        key=evidence_key(asset, one.drill),
        scenario=one.scenario,
        expected=one.expected,
        policy_sha256=one.policy_sha256,
    )


def _refreshed(snapshot: Snapshot) -> Document:
    entry = snapshot.entry
    told = {"asset": entry.asset, "points": entry.points, "problems": list(entry.problems)}
    return told | {"observed_at": time_text(entry.observed_at)}


def _region_view(one: RegionEntry, now: datetime) -> Document:
    return _document(one) | {"rpo_s": _age(one.verified_at, now)}


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (now - moment).total_seconds())


def _document(fact: DataclassInstance) -> Document:
    """A fact as JSON has it: times as text, tuples as lists."""
    return {name: _plain(value) for name, value in asdict(fact).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
