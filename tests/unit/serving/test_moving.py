"""Moving an endpoint: what is proven before callers notice, and what becomes of traffic when something dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dr_lib.clock import utc_now
from dr_lib.errors import ObjectiveMissed, Refused, StoreUnavailable
from dr_lib.model.serving import Site
from dr_lib.serving.switches import opening
from dr_lib.vault.leases import newest_lease, write_lease
from tests.stack.haproxy import haproxy
from tests.unit.serving.stage import REGIONS, WISH, Stage, outcome, staged

PRIMARY, STANDBY = Site.PRIMARY, Site.STANDBY
PLANNED = replace(WISH, is_planned=True)
BACK = replace(WISH, to=PRIMARY, reason="it is back")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path / "w") as made:
        yield made


def moved(found: object) -> dict[str, Any]:
    assert isinstance(found, dict), found
    assert found["moved"], found
    return found


def failed(found: object, kind: type[Exception], *words: str) -> None:
    assert isinstance(found, kind), found
    assert all(word in str(found) for word in words), found


def test_over_and_back_with_the_same_proof(tmp_path: Path):
    with staged(tmp_path / "w", {"loader": "safetensors"}) as stage:
        _over_and_back(stage)


def _over_and_back(stage: Stage) -> None:
    over = moved(outcome(stage, PLANNED))
    assert (over["from"], over["to"], over["verb"], over["outage"]["seconds"]) == ("primary", "standby", "failover", 0)
    assert list(over["phases"]) == ["restore", "smoke", "load", "prove", "switch", "confirm"]
    assert over["smoke"]["passed"]
    assert stage.traffic() == "standby"
    place = stage.directory(STANDBY) / "current"
    assert place.readlink().name == f"{over['point']}.00000001"
    assert stage.toys[STANDBY].digest == stage.toys[PRIMARY].digest
    back = moved(outcome(stage, BACK))
    assert (back["to"], back["verb"], stage.traffic()) == ("primary", "failback", "primary")
    assert [event["outcome"] for event in stage.events("three")] == ["moved", "moved"]
    assert [event["by"] for event in stage.events("three")] == ["anna", "anna"]
    assert stage.lease_is_free()


def test_what_earlier_moves_restored_is_removed_and_nothing_else(stage: Stage):
    moved(outcome(stage, PLANNED))
    stranger = stage.directory(STANDBY) / "notes"
    stranger.mkdir()
    moved(outcome(stage, BACK))
    again = moved(outcome(stage, PLANNED))
    left = {path.name for path in stage.directory(STANDBY).iterdir()}
    assert left == {"current", "notes", (stage.directory(STANDBY) / "current").readlink().name}
    assert again["region"] is not None


def test_who_serves_already_is_left_alone(stage: Stage):
    moved(outcome(stage, PLANNED))
    found = outcome(stage, PLANNED)
    assert isinstance(found, dict)
    assert (found["moved"], found["phases"]) == (False, {})
    assert len(stage.events()) == 1


def test_a_primary_that_is_well_or_swings_is_left_only_when_that_is_planned(stage: Stage):
    failed(outcome(stage), Refused, "the primary serves and answers rightly", "--planned")
    calls = iter(["well", "wrong", "well", "wrong", *["well"] * 50])
    answer = stage.toys[PRIMARY].answer

    def swinging() -> dict[str, Any]:
        stage.toys[PRIMARY].mood = next(calls)
        return answer()

    stage.toys[PRIMARY].answer = swinging  # type: ignore[method-assign]
    failed(outcome(stage), Refused, "whether it fails is not certain: flapping")
    assert stage.traffic() == "primary"
    assert stage.events() == []


def test_a_primary_that_answers_wrongly_is_left_for_one_that_does_not(stage: Stage):
    stage.toys[PRIMARY].mood = "wrong"
    told = stage.runtime().watch_endpoint("api")
    assert (told["sites"]["primary"]["verdict"], told["due"]) == ("wrong", "ask")
    moved(outcome(stage))
    assert stage.traffic() == "standby"


def test_a_primary_that_is_gone(stage: Stage):
    stage.toys[PRIMARY].close()
    found = moved(outcome(stage))
    assert found["outage"]["is_over"]
    assert found["outage"]["answered"] >= 1


def test_a_standby_that_answers_wrongly_gets_nobody(stage: Stage):
    stage.toys[PRIMARY].close()
    stage.toys[STANDBY].mood = "wrong"
    failed(outcome(stage), ObjectiveMissed, "the standby does not answer rightly", "--answers-may-differ")
    assert stage.traffic() == "primary"
    assert stage.events()[0]["outcome"].startswith("failed: the standby does not answer rightly")
    assert stage.lease_is_free()
    moved(outcome(stage, replace(WISH, answers_may_differ=True)))
    assert stage.traffic() == "standby"


def test_a_standby_that_would_not_load_gets_nobody(stage: Stage):
    stage.toys[PRIMARY].close()
    stage.toys[STANDBY].mood = "503"
    failed(outcome(stage), ObjectiveMissed, "the server would not load the model: it answered 503")
    stage.toys[STANDBY].close()
    failed(outcome(stage), StoreUnavailable, "does not answer when told to load")
    assert (stage.traffic(), stage.lease_is_free()) == ("primary", True)


@pytest.mark.parametrize(
    ("command", "kind", "word"),
    [
        (["false"], ObjectiveMissed, "ended with 1"),
        (["sleep", "60"], StoreUnavailable, "did not end in time"),
        (["no-such-program"], Refused, "does not run"),
        (["sh", "-c", "env >&2; exit 3"], ObjectiveMissed, "ended with 3"),
    ],
)
def test_a_command_that_does_not_load_it(
    stage: Stage, command: list[str], kind: type[Exception], word: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DR_SIGNING_KEY", "a secret of this process")
    site = {"url": stage.toys[STANDBY].url, "directory": str(stage.directory(STANDBY)), "command": command}
    stage.change(standby=site)
    found = outcome(stage, PLANNED)
    failed(found, kind, word)
    assert "a secret" not in str(found)
    assert stage.traffic() == "primary"


def test_what_was_restored_has_to_hold_its_smoke_test(tmp_path: Path):
    smoke = {"loader": "safetensors", "limits": {"memory": "1KB"}}
    with staged(tmp_path / "w", smoke) as stage:
        failed(outcome(stage, PLANNED), ObjectiveMissed, "the smoke test of what was restored failed")
        assert stage.toys[STANDBY].loads == 0
        assert stage.traffic() == "primary"


def test_a_standby_that_dies_at_the_switch_sends_traffic_back_to_a_primary_that_lives(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    _after_the_switch(monkeypatch, stage.toys[STANDBY].close)
    found = outcome(stage, PLANNED)
    failed(found, ObjectiveMissed, "callers get no right answer", "traffic is at the primary again")
    assert stage.traffic() == "primary"
    assert stage.events()[0]["outcome"].startswith("moved back")


def test_a_standby_that_dies_at_the_switch_when_nobody_else_is_left(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    stage.toys[PRIMARY].close()
    _after_the_switch(monkeypatch, stage.toys[STANDBY].close)
    failed(outcome(stage), ObjectiveMissed, "the primary does not answer rightly either, so traffic stays")
    assert stage.traffic() == "standby"
    assert stage.lease_is_free()


def _after_the_switch(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Let something happen when the switch was moved to the standby for the first time."""
    real, acted = opening.open_switch, []

    def opened(*given: Any, **named: Any) -> Any:
        switch = real(*given, **named)
        move = switch.move

        def moving(to: Site) -> None:
            move(to)
            if not acted:
                acted.append(to)
                act()

        return _Faulty(switch, moving)

    monkeypatch.setattr(opening, "open_switch", opened)


class _Faulty:
    def __init__(self, switch: Any, move: Any) -> None:
        self.traffic, self.move = switch.traffic, move


def test_a_switch_that_is_gone_half_way_is_moved_on_with_the_same_command(stage: Stage, tmp_path: Path):
    stage.toys[STANDBY].on_reload = stage.proxy.kill
    stage.toys[PRIMARY].close()
    failed(outcome(stage), StoreUnavailable)
    assert stage.lease_is_free()
    stage.toys[STANDBY].on_reload = None
    ports = {site.value: toy.port for site, toy in stage.toys.items()}
    with haproxy(tmp_path / "again", servers=ports) as proxy:
        stage.proxy = proxy
        told = {"kind": "haproxy", "address": f"unix:{proxy.socket}", "backend": proxy.backend}
        stage.change(url=f"http://127.0.0.1:{proxy.front}", switch=told | {site.value: site.value for site in Site})
        moved(outcome(stage))
        assert stage.traffic() == "standby"


def test_of_two_operators_at_once_one_moves_it(stage: Stage):
    stage.toys[PRIMARY].close()
    wishes = [replace(WISH, holder=f"operator {number}", by=f"operator {number}") for number in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda wish: outcome(stage, wish), wishes))
    done = [one for one in found if isinstance(one, dict) and one["moved"]]
    assert len(done) == 1
    others = [one for one in found if one is not done[0]]
    assert all(isinstance(one, Refused) or (isinstance(one, dict) and not one["moved"]) for one in others)
    assert [event["outcome"] for event in stage.events()] == ["moved"]
    assert stage.traffic() == "standby"


def test_two_commands_on_one_machine_do_not_work_at_once(stage: Stage):
    stage.toys[PRIMARY].close()
    again: list[Any] = []
    stage.toys[STANDBY].on_reload = lambda: again.append(outcome(stage))
    moved(outcome(stage))
    failed(again[0], Refused, "another command on this machine moves api")


def test_a_lease_that_was_lost_on_the_way_stops_it_before_the_switch(stage: Stage):
    """As when a process was stopped for an hour: somebody else took over meanwhile."""

    def taken_over() -> None:
        now = utc_now()
        for name in REGIONS:
            vault = stage.world.vault(name)
            last = newest_lease(vault, "api")
            assert last is not None
            write_lease(vault, replace(last, holder="somebody else", number=last.number + 1, at=now))

    stage.toys[STANDBY].on_reload = taken_over
    failed(outcome(stage, PLANNED), Refused, "somebody else took the lease")
    assert stage.traffic() == "primary"


def test_killed_on_the_way_the_same_command_goes_on(stage: Stage):
    stage.toys[PRIMARY].close()
    command = [sys.executable, "-m", "dr_lib.cli", "--config", str(stage.world.config()), "--json", "failover", "api"]
    words = [*command, "--reason", "it is gone", "--yes"]
    environ = {**os.environ, "DR_STANDBY_DIR": str(stage.world.folder / "standbys")}
    first = subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    stage.toys[STANDBY].on_reload = lambda: os.kill(first.pid, signal.SIGKILL)
    first.communicate(timeout=120)
    assert first.returncode == -signal.SIGKILL
    assert not stage.lease_is_free()
    stage.toys[STANDBY].on_reload = None
    inode = (stage.directory(STANDBY) / "current").resolve().stat().st_ino
    done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["moved"]
    assert (stage.directory(STANDBY) / "current").resolve().stat().st_ino == inode, "restored once"
    assert stage.traffic() == "standby"


def test_killed_after_the_switch_nobody_who_is_served_is_disturbed(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    """The same holder comes again: the server is not told to load again, and callers are only asked after."""
    stage.toys[PRIMARY].close()
    _after_the_switch(monkeypatch, _died)
    wish = replace(WISH, holder="airflow/run")
    with pytest.raises(MemoryError):
        outcome(stage, wish)
    assert stage.traffic() == "standby"
    loads = stage.toys[STANDBY].loads
    monkeypatch.undo()
    for name in REGIONS:  # a process that is killed writes no last word
        (stage.world.regions[name] / "leases" / "api" / f"{_last(stage, name):08d}.json").unlink()
    found = moved(outcome(stage, wish))
    assert list(found["phases"]) == ["confirm"]
    assert stage.toys[STANDBY].loads == loads


def _died() -> None:
    raise MemoryError("as good as killed")


def _last(stage: Stage, region: str) -> int:
    found = newest_lease(stage.world.vault(region), "api")
    assert found is not None
    return found.number


def test_without_a_majority_of_its_regions_nothing_moves(stage: Stage):
    stage.toys[PRIMARY].close()
    for name in REGIONS[:2]:
        stage.world.regions[name].rename(stage.world.folder / f"away {name}")
    failed(outcome(stage), StoreUnavailable, "needs 2 of its regions")
    (stage.world.folder / f"away {REGIONS[0]}").rename(stage.world.regions[REGIONS[0]])
    moved(outcome(stage))


def test_a_site_without_a_directory_is_proven_by_its_answers_alone_and_that_is_said(stage: Stage):
    moved(outcome(stage, PLANNED))
    stage.change(primary={"url": stage.toys[PRIMARY].url})
    found = moved(outcome(stage, BACK))
    assert "no `directory:`" in found["warnings"][0]
    assert list(found["phases"]) == ["prove", "switch", "confirm"]
    assert "no `directory:`" in stage.events()[-1]["warnings"][0]


def test_what_the_server_loads_and_no_move_made_is_not_replaced(stage: Stage):
    (stage.directory(STANDBY) / "current").mkdir(parents=True)
    failed(outcome(stage, PLANNED), Refused, "what the server loads is no link")
    assert stage.traffic() == "primary"
