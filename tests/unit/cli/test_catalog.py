"""`drctl catalog`: what it tells a person, and when it ends with a code that alarms."""

from __future__ import annotations

from typing import Any

import pytest

from dr_lib.errors import NotFound

REFRESHED = {
    "assets": [{"asset": "m", "points": 3, "problems": [], "observed_at": "2026-11-26T12:00:00Z"}],
    "forgotten": [],
    "ok": True,
}
OVERVIEW = {
    "protected": 1, "failing": 0, "unknown": 0, "never_seen": 0, "failing_since": None,
    "observed_at": "2026-11-26T12:00:00Z",
}  # fmt: skip
VIEW: dict[str, Any] = {
    "asset": "m", "protection": "protected", "rpo_s": 60.0, "problems": [],
    "regions": [{"region": "east", "state": "verified"}, {"region": "west", "state": "complete"}],
}  # fmt: skip


@pytest.fixture(autouse=True)
def answers(drctl):
    drctl.runtime.answers |= {
        "refresh_catalog": REFRESHED,
        "rebuild_catalog": REFRESHED,
        "overview": OVERVIEW,
        "asset_views": [VIEW],
    }


@pytest.mark.parametrize(
    ("arguments", "method", "given"),
    [
        (["refresh"], "refresh_catalog", {"assets": ()}),
        (["refresh", "m", "n"], "refresh_catalog", {"assets": ("m", "n")}),
        (["rebuild"], "rebuild_catalog", {}),
        (["show", "--search", "mi", "--limit", "5"], "asset_views", {"search": "mi", "limit": 5}),
    ],
)
def test_what_it_asks_of_the_runtime(drctl, arguments, method, given):
    assert drctl("catalog", *arguments) == 0
    assert drctl.runtime.calls[method] == given


def test_what_is_wrong_is_told_with_exit_3(drctl):
    one = {**REFRESHED["assets"][0], "problems": ["west does not answer"]}
    drctl.runtime.answers["refresh_catalog"] = {"assets": [one], "forgotten": ["old"], "ok": False}
    assert drctl("catalog", "refresh") == 3
    assert "west does not answer" in drctl.out
    assert "not in dr.yaml any more  old" in drctl.out


@pytest.mark.parametrize("name", ["failing", "unknown", "never_seen"])
def test_whatever_is_not_known_to_be_protected_alarms(drctl, name):
    drctl.runtime.answers["overview"] = {**OVERVIEW, name: 1, "failing_since": "2026-11-26T11:00:00Z"}
    assert drctl("catalog", "show") == 3
    assert f"1 {name.replace('_', ' ')}" in drctl.out


def test_how_everything_stands_fits_a_terminal(drctl):
    drctl.runtime.answers["asset_views"] = [VIEW, {**VIEW, "asset": "n", "protection": "failing", "rpo_s": None}]
    assert drctl("catalog", "show") == 0
    assert "1 protected, 0 failing, 0 unknown, 0 never seen" in drctl.out
    assert "FAILING" in drctl.out
    assert "west complete" in drctl.out
    assert max(map(len, drctl.out.splitlines())) <= 80
    code, document = drctl.json("catalog", "show", "--json")
    assert (code, document["overview"], len(document["assets"])) == (0, OVERVIEW, 2)


def test_no_catalog_yet_is_exit_5_and_says_what_to_do(drctl):
    drctl.runtime.answers["overview"] = NotFound("there is no catalog yet", hint="make it with `drctl catalog refresh`")
    assert drctl("catalog", "show") == 5
    assert "drctl catalog refresh" in drctl.err
