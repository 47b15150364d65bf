"""Alerts over a real catalog, sent to a real receiver of webhooks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dr_lib.errors import StoreUnavailable, UsageError
from dr_lib.model.alert import Condition, Severity
from dr_lib.runtime import Runtime
from tests.webhook import Webhook, webhook
from tests.world import ASSET, World, make_world

EVERYTHING = {"to": [{"urls": "env:OPS"}], "repeat": "6h"}


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as found:
        yield found


@pytest.fixture
def world(tmp_path: Path, hook: Webhook) -> World:
    place = {"DR_STATE_DIR": str(tmp_path / "state")}
    world = make_world(tmp_path / "w", asset={"kind": "dataset"}, alerts=EVERYTHING, environ={"OPS": hook.url, **place})
    (world.source / "file").write_bytes(b"x")
    return world


def later(world: World, hook: Webhook, **span: int) -> Runtime:
    """The same runtime after some time."""
    runtime = world.runtime
    clock = runtime._wiring.clock
    environ = dict(runtime._wiring.environ)
    return Runtime.load(world.config(), environ=environ, clock=lambda: clock() + timedelta(**span))


def test_trouble_is_told_once_and_its_end_once(world: World, hook: Webhook):
    world.runtime.refresh_catalog()
    assert world.runtime.alarm_assets()["raised"] == 1
    assert world.runtime.alarm_assets() == {
        "raised": 0,
        "still": 0,
        "cleared": 0,
        "quiet": 1,
        "recipients": ["env:OPS"],
    }
    assert hook.titles() == ["Disaster recovery, critical: 1 new"]
    assert f"[critical] {ASSET} is not protected: no verified point" in hook.heard[0]["message"]
    assert hook.heard[0]["type"] == "failure"


def test_what_stays_so_is_told_again_after_the_span_of_the_configuration(world: World, hook: Webhook):
    world.runtime.refresh_catalog()
    world.runtime.alarm_assets()
    patient = later(world, hook, hours=7)
    patient.refresh_catalog()
    assert patient.alarm_assets()["still"] == 1
    assert hook.titles()[-1] == "Disaster recovery, critical: 1 still so"


def test_an_asset_that_nobody_looks_at_is_alarmed_about(world: World, hook: Webhook):
    later(world, hook, hours=-1).refresh_catalog()
    world.runtime.alarm_assets()
    assert "is unknown: nobody looked at it since" in hook.heard[0]["message"]


def test_an_asset_that_was_never_looked_at_is_alarmed_about(world: World, hook: Webhook):
    world.runtime.alarm([], lambda _: False)  # makes the tables
    world.runtime.alarm_assets()
    assert f"{ASSET} was never looked at" in hook.heard[0]["message"]


def test_a_message_that_was_not_taken_is_told_at_the_next_look(world: World, hook: Webhook):
    world.runtime.refresh_catalog()
    hook.status = 500
    with pytest.raises(StoreUnavailable) as failed:
        world.runtime.alarm_assets()
    assert failed.value.where == "env:OPS"
    assert "s3cret" not in str(failed.value)
    (one,) = world.runtime.open_alerts()["alerts"]
    assert one["told_at"] is None
    hook.status = 200
    assert world.runtime.alarm_assets()["raised"] == 1
    assert len(hook.heard) == 1


def test_who_wants_only_the_worst_is_not_woken_for_less(world: World, hook: Webhook, tmp_path: Path):
    with webhook() as pager:
        text = (
            world.config()
            .read_text()
            .replace('{"urls": "env:OPS"}', '{"urls": "env:OPS"}, {"urls": "env:PAGER", "at_least": "critical"}')
        )
        world.config().write_text(text)
        runtime = Runtime.load(world.config(), environ={**world.runtime._wiring.environ, "PAGER": pager.url})
        sees = "run:".__eq__
        runtime.alarm([Condition("run:", Severity.WARNING, "a backup failed")], sees)
        assert (len(hook.heard), len(pager.heard)) == (1, 0)
        runtime.alarm([Condition("run:", Severity.CRITICAL, "worse")], sees)
        runtime.alarm([], sees)
        assert (len(hook.heard), len(pager.heard)) == (3, 2)
        assert pager.titles()[-1] == "Disaster recovery, all clear: 1 alert is over"


def test_a_look_knows_nothing_of_what_it_does_not_see(world: World, hook: Webhook):
    world.runtime.alarm([Condition("run:b", Severity.WARNING, "b failed")], "run:b".__eq__)
    world.runtime.refresh_catalog()
    world.runtime.alarm_assets()
    assert {one["key"] for one in world.runtime.open_alerts()["alerts"]} == {"run:b", f"asset:{ASSET}"}


@pytest.mark.parametrize("urls", ["nonsense", "json://127.0.0.1:9/x nonsense://y", ""])
def test_addresses_that_are_none_are_said_without_being_shown(
    world: World, urls: str, caplog: pytest.LogCaptureFixture
):
    runtime = Runtime.load(world.config(), environ={**world.runtime._wiring.environ, "OPS": urls})
    with caplog.at_level(logging.DEBUG), pytest.raises(UsageError) as failed:
        runtime.tell(Severity.CRITICAL, "x")
    assert failed.value.where == "env:OPS"
    assert not urls or urls not in f"{failed.value}{caplog.text}"


def test_no_log_holds_the_address_of_a_recipient(world: World, hook: Webhook, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        world.runtime.tell(Severity.WARNING, "hello")
        hook.status = 403
        with pytest.raises(StoreUnavailable):
            world.runtime.tell(Severity.WARNING, "hello")
    assert "s3cret" not in caplog.text
    assert len(hook.heard) == 1


def test_a_configuration_that_names_nobody_tells_nobody(tmp_path: Path):
    world = make_world(tmp_path / "w", environ={"DR_STATE_DIR": str(tmp_path / "state")})
    world.runtime.refresh_catalog()
    assert world.runtime.alarm_assets()["recipients"] == []
