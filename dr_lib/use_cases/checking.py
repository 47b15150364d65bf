"""What a monitoring system is told: every asset with its state, within the time that it waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Any, Final

from dr_lib.catalog.observe import Answer
from dr_lib.clock import monotonic
from dr_lib.errors import StoreUnavailable
from dr_lib.format.canonical import parse_time, time_text
from dr_lib.model.asset import Asset
from dr_lib.model.copy import CopyState
from dr_lib.model.scenario import Expected
from dr_lib.model.serving import Site
from dr_lib.model.state import Judgement, State, worst
from dr_lib.policy.checking import judged, judged_endpoint
from dr_lib.use_cases.looking import Look, look_at
from dr_lib.use_cases.over_config import Document
from dr_lib.use_cases.serving import UNREAD, Serving, look_of

HALF: Final = 0.5
"""The share of the time in which a region must open, so that the others can still be read in the rest."""


class Checking(Serving):
    """Assets and endpoints are what is checked. What else is to be comes as a further list, with states of its own."""

    def check(
        self, asset: str | None = None, *, by_catalog: bool = False, warning_share: float = 0.8, patience: float = 50.0
    ) -> Document:
        """One asset or all, and the endpoints that serve them, by what is so now, or by the catalog, within `patience`
        seconds.

        `{"state", "state_code", "assets": [{"asset", "state", "state_code", "text", "reasons", "rpo_s",
        "rpo_objective_s", "rpo_warning_s", "rto_s", "rto_objective_s", "drill_age_s", "regions": [{"region", "answers",
        "copy"}]}], "endpoints": [{"endpoint", "asset", "state", "state_code", "text", "reasons", "traffic"}]}`. What
        was not seen in time is unknown. Raises what the configuration and the catalog raise.
        """
        named = [self.config.asset(asset)] if asset else list(self.config.assets.values())
        seen: dict[str, Document] = {}
        look = self._by_catalog if by_catalog else self._by_regions
        look_at_serving = self._serving_by_catalog if by_catalog else self._serving_now
        serving = [one.name for one in self.config.serving.values() if asset in (None, one.asset)]
        served: dict[str, Document] = {}
        finished = _within(
            patience, lambda: look(named, warning_share, patience, seen), lambda: look_at_serving(serving, served)
        )
        late = f"nothing was known of it after {patience:g} s"
        known = dict(seen)  # what still looks goes on writing into the other
        told = [known.get(one.name) or _facts(one, Judgement(State.UNKNOWN, (late,)), warning_share) for one in named]
        seen_ones = dict(served)
        endpoints = [
            seen_ones.get(one) or self._endpoint(one, Judgement(State.UNKNOWN, (late,)), "") for one in serving
        ]
        state = worst(State(one["state"]) for one in (*told, *endpoints))
        return {
            "state": state.value, "state_code": state.code, "in_time": finished, "assets": told, "endpoints": endpoints,
        }  # fmt: skip

    def _serving_now(self, named: Sequence[str], served: dict[str, Document]) -> None:
        for name in named:
            found = self.serving_status(name)["endpoints"][0]
            stands = {site: found["sites"][site.value]["verdict"] for site in Site}
            served[name] = self._judged(name, found["traffic"], stands, found["problem"])

    def _serving_by_catalog(self, named: Sequence[str], served: dict[str, Document]) -> None:
        views = {one["endpoint"]: one for one in self.serving_views()}
        for name in named:
            seen = views.get(name)
            if seen is None or seen["stale"]:
                since = f"nobody looked at it since {seen['observed_at'][:19]} UTC" if seen else "was never looked at"
                served[name] = self._endpoint(name, Judgement(State.UNKNOWN, (since,)), "")
                continue
            stands = {site: seen[f"{site}_stands"] for site in Site}
            served[name] = self._judged(name, seen["traffic"], stands, seen["problem"])

    def _judged(self, name: str, traffic: str, stands: dict[Site, str], problem: str) -> Document:
        judgement = judged_endpoint(look_of(traffic, stands), problem, is_read=traffic != UNREAD)
        return self._endpoint(name, judgement, traffic)

    def _endpoint(self, name: str, judgement: Judgement, traffic: str) -> Document:
        told = {"endpoint": name, "asset": self.config.endpoint(name).asset, "traffic": traffic}
        state = {"state": judgement.state.value, "state_code": judgement.state.code}
        return told | state | {"text": judgement.reasons[0], "reasons": list(judgement.reasons)}

    def _by_regions(self, named: Sequence[Asset], share: float, patience: float, seen: dict[str, Document]) -> None:
        regions = sorted({region for asset in named for region in asset.regions})
        answers = self._answers_within(regions, patience * HALF)
        for asset in named:
            own = {region: answers[region] for region in asset.regions}
            seen[asset.name] = _looked(asset, look_at(asset, own, self.config.encryption, self._wiring.clock()), share)

    def _answers_within(self, regions: Sequence[str], seconds: float) -> dict[str, Answer]:
        """Every region's vault, or why it did not open; one that has not answered in time is not waited for."""
        pool = ThreadPoolExecutor(max(1, len(regions)))
        asked = {region: pool.submit(self._wiring.answer, region) for region in regions}
        wait(asked.values(), timeout=seconds)
        pool.shutdown(wait=False, cancel_futures=True)
        return {region: _answer(region, future, seconds) for region, future in asked.items()}

    def _by_catalog(self, named: Sequence[Asset], share: float, _: float, seen: dict[str, Document]) -> None:
        views = {one["asset"]: one for one in self.every_asset_view()}
        drills, now = self._drills_by_catalog(), self._wiring.clock()
        for asset in named:
            seen[asset.name] = _viewed(asset, views.get(asset.name), drills.get(asset.name), now, share)

    def _drills_by_catalog(self) -> dict[str, tuple[float | None, str]]:
        """Of each asset's newest drill that was to bring it back: its RTO, and when it ended."""
        from dr_lib.catalog.db.figures import newest_drills

        found = self._asked(lambda connection, _: newest_drills(connection))
        shown = [(asset, one) for asset, one in found if one.expected == Expected.RECOVERY]
        ordered = sorted(shown, key=lambda pair: pair[1].drill)
        return {asset: (one.rto_s, time_text(one.finished_at)) for asset, one in ordered}


def _answer(region: str, future: Future[Answer], seconds: float) -> Answer:
    if future.done() and not future.cancelled():
        return future.result()
    return StoreUnavailable(
        f"no answer within {seconds:g} s", where=f"region {region}", hint="`drctl doctor` tells more"
    )


def _looked(asset: Asset, look: Look, share: float) -> Document:
    found, silent = look.standing, look.known.silent
    mute = "no region answers" if asset.regions and not set(asset.regions) - silent.keys() else ""
    judgement = judged(found.rpo_s, asset.objectives.rpo.total_seconds(), found.problems, unknown=mute, share=share)
    copies = {} if found.newest is None else {one.region: one.state for one in found.newest.copies}
    regions = [
        _region(name, name not in silent, CopyState.UNKNOWN if name in silent else copies.get(name, CopyState.MISSING))
        for name in asset.regions
    ]
    drill = None if look.drilled is None else (look.drilled.rto_s, look.drilled.finished_at)
    return _facts(asset, judgement, share, found.rpo_s, drill, look.at, regions)


def _viewed(
    asset: Asset, view: Mapping[str, Any] | None, drill: tuple[float | None, str] | None, now: datetime, share: float
) -> Document:
    if view is None:
        return _facts(asset, Judgement(State.UNKNOWN, ("was never looked at: nothing is known of it",)), share)
    stale = view["protection"] == "unknown"
    unknown = f"nobody looked at it since {view['observed_at'][:19]} UTC" if stale else ""
    objective = asset.objectives.rpo.total_seconds()
    judgement = judged(view["rpo_s"], objective, view["problems"], unknown=unknown, share=share)
    regions = [_region(one["region"], not one["silent"], one["state"]) for one in view["regions"]]
    return _facts(asset, judgement, share, view["rpo_s"], drill, now, regions)


def _region(name: str, answers: bool, copy: str) -> Document:  # noqa: FBT001 - private, two calls
    return {"region": name, "answers": int(answers), "copy": str(copy)}


def _facts(
    asset: Asset,
    judgement: Judgement,
    share: float,
    rpo_s: float | None = None,
    drill: tuple[float | None, str] | None = None,
    now: datetime | None = None,
    regions: Sequence[Document] = (),
) -> Document:
    rpo, rto = asset.objectives.rpo.total_seconds(), asset.objectives.rto.total_seconds()
    drilled = None if drill is None or now is None else max(0.0, (now - parse_time(drill[1])).total_seconds())
    return {
        "asset": asset.name,
        "state": judgement.state.value,
        "state_code": judgement.state.code,
        "text": judgement.reasons[0],
        "reasons": list(judgement.reasons),
        "rpo_s": rpo_s,
        "rpo_objective_s": rpo,
        "rpo_warning_s": rpo * share,
        "rto_s": drill[0] if drill else None,
        "rto_objective_s": rto,
        "drill_age_s": drilled,
        "regions": list(regions),
    }


def _within(seconds: float, *works: Callable[[], None]) -> bool:
    """Whether all of it ended in time, done at once; what it raised is raised. What is late is left to end with the
    process."""
    raised: list[Exception] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            raised.append(error)

    late = monotonic() + seconds
    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, late - monotonic()))
    if raised:
        raise raised[0]
    return not any(thread.is_alive() for thread in threads)
