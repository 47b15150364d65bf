"""Ratios are paired round by round, and a bar that is missed says so."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.peers.bars import Row, rows
from benchmarks.peers.figures import Figures, wall
from benchmarks.peers.running import FIRST, UNCHANGED, Record
from benchmarks.peers.scenarios import MODEL


def record(tool: str, number: int, wall: float, **facts: Any) -> Record:
    given = {"scenario": MODEL, "step": FIRST, "cpu": 1.0, "peak": 1, "read": 1, "logical": 100, "stored": 70}
    given |= {"new": 70, "metadata": 0} | facts
    return Record(tool=tool, round=number, wall=wall, **given)


def test_a_ratio_is_the_median_of_each_rounds_ratio():
    ours = [record("ours", number, wall) for number, wall in enumerate((1.0, 10.0, 3.0))]
    theirs = [record("restic", number, wall) for number, wall in enumerate((2.0, 100.0, 4.0))]
    assert Figures([*ours, *theirs]).against(MODEL, FIRST, "restic") == 0.5


def test_a_round_that_only_one_of_two_ran_is_left_out():
    figures = Figures([record("ours", 0, 1.0), record("ours", 1, 50.0), record("restic", 0, 2.0)])
    assert figures.against(MODEL, FIRST, "restic") == 0.5


def test_what_was_not_measured_is_none_and_not_zero():
    figures = Figures([record("ours", 0, 1.0)])
    assert figures.against(MODEL, FIRST, "restic") is None
    assert figures.of(MODEL, UNCHANGED, "ours", wall) is None


def test_the_sealed_vault_is_held_against_the_bars_once_it_is_measured():
    clear, sealed = record("ours-clear", 0, 1.0), record("ours", 0, 2.0)
    assert Figures([clear]).ours == "ours-clear"
    assert Figures([clear, sealed]).ours == "ours"


@pytest.mark.parametrize(
    ("measured", "bar", "verdict"),
    [(0.4, 0.4, "pass"), (0.41, 0.4, "MISS"), (None, 0.4, "not measured"), (0.4, None, "no bar")],
)
def test_a_verdict_follows_from_the_figure_and_the_bar(measured: float | None, bar: float | None, verdict: str):
    assert Row("what", measured, bar).verdict == verdict


def test_a_loss_stands_in_the_table():
    table = rows(Figures([record("ours", 0, 9.0), record("restic", 0, 10.0)]), {})
    lost = {row.what: row.measured for row in table if row.verdict == "MISS"}
    assert lost == {"first backup of the model: ours / restic": 0.9}
