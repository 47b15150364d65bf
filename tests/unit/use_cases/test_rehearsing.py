"""What a drill pretends: another key, link or clock, wired into it alone; and what it does when it cannot."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dr_lib.clock import utc_now
from dr_lib.errors import Refused, UsageError
from dr_lib.runtime import Runtime
from dr_lib.use_cases.rehearsing import journal_of, world_of
from dr_lib.wiring import STANDBY_IDENTITY, Wiring
from tests.keys import keys
from tests.world import ASSET, make_world


@pytest.fixture(scope="module")
def vaults(tmp_path_factory):
    environ = keys().all() | {"ESCROW": keys().escrow, "SAME": keys().operations}
    made = make_world(tmp_path_factory.mktemp("pretence") / "w", environ=environ, **keys().config())
    return made, environ


def wiring(vaults: Any, *, escrow: str | None = None) -> Wiring:
    made, environ = vaults
    found = Runtime.load(made.config(), environ=environ)._wiring
    sealing = replace(found.config.encryption, escrow=escrow)
    return replace(found, config=replace(found.config, encryption=sealing))


def kit(found: Wiring, scenario: str) -> tuple[dict[str, Any], dict[str, str]]:
    asset = found.config.asset(ASSET)
    text, environ = world_of(found, asset, scenario, "one").survival_kit(asset, "two")
    return json.loads(text), environ


def test_without_the_operations_key_the_standby_gets_the_escrow_key_alone(vaults):
    found = wiring(vaults, escrow="env:ESCROW")
    assert kit(found, "key-lost")[1] == {STANDBY_IDENTITY: keys().escrow}
    assert kit(found, "region-lost")[1] == {STANDBY_IDENTITY: keys().operations}


@pytest.mark.parametrize(
    ("escrow", "error", "words"),
    [
        (None, UsageError, "does not say where the escrow key is"),
        ("env:NOWHERE", UsageError, "there is no escrow key"),
        ("env:SAME", Refused, "the escrow key is the operations key"),
    ],
)
def test_a_key_that_cannot_be_lost_is_not_said_to_be(vaults, escrow, error, words: str):
    with pytest.raises(error, match=words):
        kit(wiring(vaults, escrow=escrow), "key-lost")


def test_where_nothing_is_sealed_there_is_no_key_to_lose(vaults):
    found = wiring(vaults)
    with pytest.raises(UsageError, match="no key to lose"):
        kit(replace(found, config=replace(found.config, encryption=None)), "key-lost")


def test_a_slow_link_is_the_standbys_too(vaults):
    assert kit(wiring(vaults), "slow-link")[0]["regions"]["two"]["limits"]["download"] == "2000.000KB/s"
    assert "limits" not in kit(wiring(vaults), "region-lost")[0]["regions"]["two"]


def test_a_skewed_clock_is_the_drills_alone(vaults):
    found = wiring(vaults)
    world = world_of(found, found.config.asset(ASSET), "clock-skewed", "one")
    assert abs(world.skew) == timedelta(hours=6)
    assert abs(world.clock() - utc_now() - world.skew) < timedelta(minutes=1)
    assert abs(found.clock() - utc_now()) < timedelta(minutes=1)
    told = world.store_clock()
    assert told is not None
    assert abs(told - utc_now()) < timedelta(minutes=1)


def test_no_region_that_takes_an_event_is_no_clock(vaults, tmp_path: Path):
    found = wiring(vaults)
    away = {
        name: replace(one, store=replace(one.store, url=f"file://{tmp_path / 'none'}"))
        for name, one in found.config.regions.items()
    }
    lost = replace(found, config=replace(found.config, regions=away))
    assert world_of(lost, lost.config.asset(ASSET), "region-lost", "one").store_clock() is None


def test_intents_lie_beside_the_configuration_or_where_it_is_said(vaults, tmp_path: Path):
    found = wiring(vaults)
    assert journal_of(found).folder == found.config.path.parent / ".dr-state" / "drills"
    elsewhere = replace(found, environ={**found.environ, "DR_STATE_DIR": str(tmp_path)})
    assert journal_of(elsewhere).folder == tmp_path / "drills"


def test_the_live_data_is_taken_only_where_it_is_allowed(vaults):
    found = wiring(vaults)
    asset = found.config.asset(ASSET)
    assert world_of(found, asset, "region-lost", "one").ground.source is None
    allowed = replace(asset, drill=replace(asset.drill, takes_source=True))
    assert world_of(found, allowed, "region-lost", "one").ground.source == str(vaults[0].source)
    bucket = replace(allowed, source=replace(asset.source, url="s3://lake/x"))
    assert world_of(found, bucket, "region-lost", "one").ground.source is None
