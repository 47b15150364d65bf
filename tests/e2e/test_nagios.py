"""Nagios itself runs `drctl check`, and understands every one of its answers."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from tests.stack.nagios import Status, checked, nagios
from tests.unit.use_cases.checked_worlds import proven, verified
from tests.world import ASSET

pytestmark = pytest.mark.skipif(
    shutil.which("nagios4") is None, reason="nagios4 is not here: bash tools/system.sh nagios4-core"
)
FIGURE = re.compile(r"'(?:[^']|'')+'=(?:U|[\d.]+)s?;[\d.]*;[\d.]*;0")


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> Status:
    """Five services, each over a world of its own."""
    at = tmp_path_factory.mktemp("nagios")
    well, undrilled, empty = proven(at / "well"), verified(at / "undrilled"), verified(at / "empty", backups=0)
    wrong = at / "wrong.yaml"
    wrong.write_text(json.dumps({"version": 1, "regions": {}, "assets": {"a|b": {}}}))
    services = {
        "ok": ("drctl_check", well.config()),
        "warning": (f"drctl_check!{ASSET}", undrilled.config()),
        "critical": (f"drctl_check!{ASSET}", empty.config()),
        "unknown": ("drctl_check", wrong),
        "nowhere": ("drctl_check!no-such", well.config()),
        "flag": ("drctl_check!--bogus", well.config()),
        "never looked": ("drctl_check_catalog", well.config()),
    }
    with nagios(at / "run", services) as file:
        return checked(file)


@pytest.mark.parametrize(
    ("name", "code", "starts"),
    [
        ("ok", "0", "DR OK - "),
        ("warning", "1", f"DR WARNING - {ASSET}: never drilled"),
        ("critical", "2", f"DR CRITICAL - {ASSET}: no verified point"),
        ("unknown", "3", "DR UNKNOWN - "),
        ("nowhere", "3", "DR UNKNOWN - "),
        ("flag", "3", "DR UNKNOWN - "),
        ("never looked", "3", "DR UNKNOWN - "),
    ],
)
def test_nagios_sees_the_state_and_why(seen: Status, name: str, code: str, starts: str):
    assert seen[name]["current_state"] == code, seen[name]
    assert seen[name]["plugin_output"].startswith(starts)


@pytest.mark.parametrize("name", ["ok", "warning", "critical"])
def test_nagios_takes_the_figures_apart(seen: Status, name: str):
    told = seen[name]["performance_data"]
    assert " ".join(FIGURE.findall(told)) == told
    assert f"'{ASSET} rpo'=" in told


def test_nagios_keeps_the_reasons_as_long_output(seen: Status):
    assert f"{ASSET} CRITICAL: never drilled" in seen["critical"]["long_plugin_output"]
    assert "next:" in seen["nowhere"]["plugin_output"]
    assert seen["unknown"]["performance_data"] == ""
