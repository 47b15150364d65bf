"""`drctl check`: every way to end speaks the protocol of Nagios, or Zabbix's, and nothing in the data breaks it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dr_lib.cli import plugin_protocol
from dr_lib.cli.main import main
from dr_lib.cli.session import Session
from dr_lib.config import ConfigError, Problem
from dr_lib.errors import NotFound, StoreUnavailable

ONE: dict[str, Any] = {
    "asset": "m", "state": "ok", "state_code": 0, "text": "well", "reasons": ["well"], "rpo_s": 15.25,
    "rpo_objective_s": 3600.0, "rpo_warning_s": 2880.0, "rto_s": 9.5, "rto_objective_s": 900.0, "drill_age_s": 86400.0,
    "regions": [{"region": "a", "answers": 1, "copy": "verified"}],
}  # fmt: skip
CODES = {"ok": 0, "warning": 1, "critical": 2, "unknown": 3}


def document(*assets: dict[str, Any], state: str = "ok") -> dict[str, Any]:
    facts = {"state": state, "state_code": CODES[state], "in_time": True}
    return facts | {"assets": list(assets or (ONE,)), "endpoints": []}


@pytest.fixture(autouse=True)
def answer(drctl):
    drctl.runtime.answers["check"] = document()


def test_a_line_with_figures_then_the_reasons(drctl):
    assert drctl("check") == 0
    first, *lines = drctl.out.splitlines()
    assert first == (
        "DR OK - m: well | 'assets ok'=1;;;0 'assets warning'=0;;;0 'assets unknown'=0;;;0 'assets critical'=0;;;0 "
        "'m rpo'=15.25s;2880;3600;0 'm rto'=9.5s;900;;0 'm drill age'=86400s;;;0"
    )
    assert lines == ["m OK: well"]


@pytest.mark.parametrize(("state", "code"), CODES.items())
def test_the_exit_code_is_the_state(drctl, state, code):
    drctl.runtime.answers["check"] = document({**ONE, "state": state}, state=state)
    assert drctl("check") == code
    assert drctl("check", "--format", "zabbix") == 0
    assert json.loads(drctl.out)["state_code"] == code


def test_the_worst_comes_first_and_is_counted(drctl):
    bad = {**ONE, "asset": "z", "state": "critical", "text": "gone", "reasons": ["gone"], "rpo_s": None, "rto_s": None}
    drctl.runtime.answers["check"] = document(ONE, bad, state="critical")
    drctl("check")
    assert drctl.out.startswith("DR CRITICAL - 1 of 2 assets critical: z: gone | ")
    assert "'z rpo'=U;2880;3600;0" in drctl.out
    assert "'z rto'" not in drctl.out


def test_what_it_asks_of_the_runtime(drctl):
    drctl("check", "m", "--from", "catalog", "--warning", "90", "--timeout", "5")
    asked = {"asset": "m", "by_catalog": True, "warning_share": 0.9, "patience": 5.0}
    assert drctl.runtime.calls["check"] == asked


@pytest.mark.parametrize("evil", ["a | b\nDR OK", "a\r\x00\x1b[2J|", "a\u2028|'x'=1", "|" * 5000])
def test_no_text_breaks_the_protocol(drctl, evil):
    drctl.runtime.answers["check"] = document({**ONE, "text": evil, "reasons": [evil]})
    drctl("check")
    lines = drctl.out.split("\n")
    assert drctl.out.count("|") == 1
    assert "|" in lines[0]
    assert len(lines) == 3
    assert all(one.isprintable() for one in lines)


def test_hundreds_of_assets_stay_within_what_nagios_keeps(drctl):
    many = [{**ONE, "asset": f"asset-{number}", "reasons": ["y" * 500]} for number in range(500)]
    drctl.runtime.answers["check"] = document(*many)
    drctl("check")
    assert len(drctl.out.encode()) < 8192
    assert drctl.out.splitlines()[-1] == "and 480 more: drctl check --json"
    assert drctl.out.splitlines()[0].endswith(";0")


WRONG = ConfigError(Path("/x/dr.yaml"), [Problem(3, "assets.m|n", "is odd", "another")])


@pytest.mark.parametrize(
    "error",
    [
        NotFound("no asset 'x'", where="/x/dr.yaml", hint="assets there: m"),
        StoreUnavailable("no answer | at all\nDR OK", where="region a"),
        RuntimeError("a defect"),
        KeyboardInterrupt(),
        WRONG,
    ],
)
@pytest.mark.parametrize("more", [[], ["--json"], ["--format", "zabbix"], ["--format=zabbix"]])
def test_every_error_is_unknown_on_stdout_and_nothing_on_stderr(drctl, error, more):
    drctl.runtime.answers["check"] = error
    code = drctl("check", *more)
    assert drctl.err.strip() == ""
    if not more:
        assert code == 3
        assert drctl.out.startswith("DR UNKNOWN - ")
        assert "|" not in drctl.out
        return
    told = json.loads(drctl.out)
    assert code == (3 if more == ["--json"] else 0)
    assert (told["state"], told["state_code"]) == ("unknown", 3)
    assert "assets" not in told


@pytest.mark.parametrize(
    "given",
    [["check", "--bogus"], ["check", "a", "b"], ["check", "--warning", "200"], ["-c", "x", "check", "--from", "z"]],
)
def test_a_wrong_flag_is_unknown_with_what_next(drctl, given):
    assert drctl(*given) == 3
    assert drctl.err == ""
    assert drctl.out.startswith("DR UNKNOWN - ")
    assert "next: drctl check --help" in drctl.out


def test_a_configuration_that_cannot_be_read_is_unknown(capsys, tmp_path):
    assert main(["check", "--config", str(tmp_path / "none.yaml")], Session()) == 3
    out, err = capsys.readouterr()
    assert out.startswith("DR UNKNOWN - ")
    assert err == ""


def test_other_commands_tell_errors_as_ever(drctl):
    drctl.runtime.answers["backup"] = NotFound("no asset 'check'")
    assert drctl("backup", "check") == 5
    assert drctl.out == ""


def test_the_help_says_whose_exit_codes_these_are(drctl):
    assert drctl("check", "--help") == 0
    assert "3 UNKNOWN" in " ".join(drctl.out.split())
    assert "drctl check --format zabbix" in drctl.out


def test_a_quote_in_a_label_is_doubled_and_a_number_has_no_exponent():
    assert plugin_protocol._figure("it's=a|b", 1e-7, "s", 1e16) == "'it''s-a/b'=0s;10000000000000000;;0"


def test_an_endpoint_that_is_worse_than_all_assets_has_the_first_line(drctl):
    served = {"endpoint": "api", "asset": "m", "state": "critical", "state_code": 2, "traffic": "primary"}
    told = {"text": "the primary serves and is down", "reasons": ["the primary serves and is down"]}
    drctl.runtime.answers["check"] = document(state="critical") | {"endpoints": [served | told]}
    assert drctl("check") == 2
    first, *lines = drctl.out.splitlines()
    assert first.startswith("DR CRITICAL - api: the primary serves and is down | 'assets ok'=1;")
    assert lines == ["api CRITICAL: the primary serves and is down", "m OK: well"]
    drctl("check", "--format", "zabbix")
    assert json.loads(drctl.out)["endpoints"][0]["state_code"] == 2
