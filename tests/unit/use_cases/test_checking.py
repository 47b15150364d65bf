"""Checks over real vaults: now, by the catalog, and within the time that there is."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dr_lib.errors import NotFound
from dr_lib.runtime import Runtime
from dr_lib.wiring import Wiring
from tests.unit.use_cases.checked_worlds import proven, verified
from tests.world import ASSET, World


def later(world: World, **span: Any) -> Runtime:
    """The same, when that much more time has passed."""
    wiring = world.runtime._wiring
    return Runtime(replace(wiring, clock=lambda: wiring.clock() + timedelta(**span)))


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """What hangs goes on when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_what_is_verified_and_drilled_is_ok_now_and_by_the_catalog(tmp_path: Path):
    world = proven(tmp_path / "w")
    world.runtime.refresh_catalog()
    for by_catalog in (False, True):
        told = world.runtime.check(by_catalog=by_catalog)
        one = told["assets"][0]
        assert (told["state"], told["state_code"], told["in_time"]) == ("ok", 0, True), told
        assert one["rto_s"] == 10.0
        assert one["drill_age_s"] > 0
        assert one["rpo_warning_s"] == 0.8 * one["rpo_objective_s"]
        assert one["regions"] == [{"region": name, "answers": 1, "copy": "verified"} for name in ("one", "two")]


def test_it_agrees_with_the_status_of_what_was_lost(tmp_path: Path):
    world = verified(tmp_path / "w")
    shutil.rmtree(world.regions["two"])
    told, status = world.runtime.check(ASSET), world.runtime.status()
    assert told["state"] == "warning"
    assert told["assets"][0]["reasons"] == status["assets"][0]["problems"]
    assert told["assets"][0]["regions"][1] == {"region": "two", "answers": 0, "copy": "unknown"}


def test_when_no_region_answers_nobody_knows(tmp_path: Path):
    world = verified(tmp_path / "w")
    for place in world.regions.values():
        shutil.rmtree(place)
    told = world.runtime.check()
    assert (told["state"], told["assets"][0]["text"]) == ("unknown", "no region answers")


def test_what_is_older_than_promised_is_critical_and_nearly_so_a_warning(tmp_path: Path):
    world = proven(tmp_path / "w")
    rpo = world.runtime.config.asset(ASSET).objectives.rpo
    assert later(world, seconds=rpo.total_seconds() + 60).check()["state"] == "critical"
    near = later(world, seconds=0.9 * rpo.total_seconds())
    assert near.check()["state"] == "warning"
    assert "more than 80%" in near.check()["assets"][0]["text"]
    assert near.check(warning_share=0.95)["state"] == "ok"


def test_a_catalog_that_nobody_wrote_or_that_is_stale_knows_nothing(tmp_path: Path):
    world = proven(tmp_path / "w")
    with pytest.raises(NotFound, match="no catalog yet"):
        world.runtime.check(by_catalog=True)
    later(world, hours=-2).refresh_catalog()
    told = world.runtime.check(by_catalog=True)
    assert told["state"] == "unknown"
    assert told["assets"][0]["text"].startswith("nobody looked at it since")


def test_a_region_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch, release: threading.Event):
    world, answer = verified(tmp_path / "w"), Wiring.answer

    def hanging(self: Wiring, region: str, *more: Any) -> Any:
        if region == "two":
            release.wait()
        return answer(self, region, *more)

    monkeypatch.setattr(Wiring, "answer", hanging)
    one = world.runtime.check(patience=20.0 * 0.1)["assets"][0]
    assert one["reasons"][0] == "two does not answer"
    assert one["state"] == "warning"


def test_what_was_not_seen_in_time_is_unknown_and_the_rest_is_told(tmp_path: Path, monkeypatch, release):
    world = verified(tmp_path / "w")
    monkeypatch.setattr(Runtime, "_answers_within", lambda *_: release.wait())
    told = world.runtime.check(patience=0.1)
    assert (told["state"], told["in_time"]) == ("unknown", False)
    assert told["assets"][0]["text"] == "nothing was known of it after 0.1 s"


def test_an_asset_that_does_not_exist_is_said(tmp_path: Path):
    with pytest.raises(NotFound, match="no-such"):
        verified(tmp_path / "w", backups=0).runtime.check("no-such")


def test_what_goes_wrong_while_looking_is_raised(tmp_path: Path, monkeypatch):
    world = verified(tmp_path / "w", backups=0)
    monkeypatch.setattr("dr_lib.use_cases.checking.look_at", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        world.runtime.check()
