"""Which scenario is due, which can be rehearsed at all, and what a changed promise does to old proofs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dr_lib.model.asset import Asset, AssetKind, DrillPolicy, Objectives, Retention
from dr_lib.model.protection import Encryption
from dr_lib.model.region import StoreRef
from dr_lib.model.scenario import SCENARIOS
from dr_lib.model.smoke import SmokePolicy, Tolerance
from dr_lib.policy.drill_plan import next_scenario, planned, policy_sha256, shortcomings

ALL = tuple(SCENARIOS)
OF_ASSETS = tuple(name for name, scenario in SCENARIOS.items() if not scenario.of_orchestrator)
SEALED = Encryption(("a", "b"), "env:I", "env:W", "env:ESCROW")


def asset(*scenarios: str, regions: tuple[str, ...] = ("one", "two")) -> Asset:
    return Asset(
        name="m",
        kind=AssetKind.MODEL,
        source=StoreRef("file:///m"),
        regions=regions,
        schedule=None,
        verify_schedule=None,
        objectives=Objectives(timedelta(hours=1), timedelta(hours=1)),
        retention=Retention(1, 1, 1, 1),
        drill=DrillPolicy(None, "region-lost", "local", scenarios),
        smoke=SmokePolicy("safetensors", Path("golden"), Tolerance(0.99, 0.1)),
    )


@pytest.mark.parametrize(
    ("made", "encryption", "expected"),
    [
        (asset(), None, ("region-lost",)),
        (asset("slow-link", "key-lost"), None, ("slow-link", "key-lost")),
        (asset(*ALL), SEALED, OF_ASSETS),
        (replace(asset(*ALL), kind=AssetKind.ORCHESTRATOR), SEALED, ALL),
        (asset(*ALL), None, tuple(name for name in OF_ASSETS if name != "key-lost")),
        (asset(*ALL), replace(SEALED, escrow=None), tuple(name for name in OF_ASSETS if name != "key-lost")),
        (asset(*ALL, regions=("one",)), SEALED, tuple(n for n in OF_ASSETS if not SCENARIOS[n].loses_region)),
    ],
    ids=[
        "one",
        "named",
        "all",
        "all of the orchestrator",
        "all in the clear",
        "all without escrow",
        "all in one region",
    ],
)
def test_what_a_plan_rotates_through(made: Asset, encryption, expected):
    assert planned(made, encryption) == expected


@pytest.mark.parametrize(
    ("done", "due"),
    [
        ({}, "a"),
        ({"a": "2026-01-03"}, "b"),
        ({"a": "2026-01-03", "b": "2026-01-01", "c": "2026-01-02"}, "b"),
        ({"a": "2026-01-01", "c": "2026-01-01"}, "b"),
        ({"a": "2026-01-01", "b": "2026-01-01", "c": "2026-01-01"}, "a"),
        ({"z": "2020-01-01", "a": "2026-01-02", "b": "2026-01-01", "c": "2026-01-01"}, "b"),
    ],
)
def test_the_scenario_that_is_due_is_the_one_that_was_not_drilled_for_longest(done: dict[str, str], due: str):
    assert next_scenario(("a", "b", "c"), done) == due


def test_a_plan_comes_round_to_every_scenario():
    done: dict[str, str] = {}
    for week in range(2 * len(ALL)):
        assert next_scenario(ALL, done) == ALL[week % len(ALL)]
        done[next_scenario(ALL, done)] = f"2026-{week:04d}"


CHANGES = {
    "objectives": lambda one: replace(one, objectives=Objectives(timedelta(hours=1), timedelta(hours=2))),
    "smoke": lambda one: replace(one, smoke=replace(one.smoke, tolerance=Tolerance(0.5, 0.1))),
    "no smoke": lambda one: replace(one, smoke=None),
    "regions": lambda one: replace(one, regions=("two", "one")),
    "link": lambda one: replace(one, drill=replace(one.drill, link=1)),
    "standby": lambda one: replace(one, drill=replace(one.drill, standby="gpu")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_promise_or_test_is_another_policy(change: str):
    assert policy_sha256(CHANGES[change](asset()), {}) != policy_sha256(asset(), {})


def test_another_file_of_expectations_is_another_policy():
    first = policy_sha256(asset(), {"expectations": "aa"})
    assert policy_sha256(asset(), {"expectations": "bb"}) != first
    assert policy_sha256(asset(), {"expectations": "aa"}) == first


@pytest.mark.parametrize(
    "same",
    [
        replace(asset(), schedule="0 0 * * *"),
        asset("slow-link"),
        replace(asset(), retention=Retention(9, 9, 9, 9)),
        replace(asset(), smoke=SmokePolicy("safetensors", Path("elsewhere"), Tolerance(0.99, 0.1))),
    ],
    ids=["schedule", "plan", "retention", "place of a file"],
)
def test_what_changes_no_proof_is_no_other_policy(same: Asset):
    assert policy_sha256(same, {}) == policy_sha256(asset(), {})


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"a": ("proven", True), "b": ("proven", True)}, []),
        ({}, []),
        ({"a": ("proven", True)}, ["never drilled: b"]),
        ({"a": ("proven", True), "b": ("not proven", True)}, ["the last drill of b did not prove it"]),
        (
            {"a": ("proven", False), "b": ("proven", True)},
            ["a is not proven any more: what was promised, or how it is tested, was changed since"],
        ),
        ({"a": ("proven", True), "b": ("proven", True), "other": ("not proven", False)}, []),
    ],
    ids=["all proven", "none at all", "one never", "one failed", "policy edited", "not of the plan"],
)
def test_what_is_missing_of_a_plan_is_said(told, words: list[str]):
    assert shortcomings(("a", "b"), told) == words
