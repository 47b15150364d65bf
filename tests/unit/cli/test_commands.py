"""Each command: what it asks of the runtime, what it answers, and when its exit code is not 0."""

from __future__ import annotations

import pytest

from dr_lib.errors import NotFound
from tests.unit.cli.conftest import ANSWERS, CONTROL, POINT, RESULT, SMOKE

ALL = {"unverified": False, "percent": None}
PLAIN = {"attachments": None, "tensor": ()}
CALLS = [
    (["init"], "initialize", {"regions": None}),
    (["init", "--region", "a", "--region", "b"], "initialize", {"regions": ["a", "b"]}),
    (["backup", "m"], "backup", {"asset": "m", "regions": None}),
    (["backup", "m", "--region", "a"], "backup", {"asset": "m", "regions": ["a"]}),
    (["points"], "points", {"asset": None}),
    (["points", "m"], "points", {"asset": "m"}),
    (
        ["show", "m"],
        "contents",
        {"asset": "m", "point": "latest", "region": None, "search": "", "offset": 0, "limit": 1000},
    ),
    (
        ["show", "m", POINT, "--region", "b", "--search", "layer", "--offset", "5", "--limit", "1"],
        "contents",
        {"asset": "m", "point": POINT, "region": "b", "search": "layer", "offset": 5, "limit": 1},
    ),
    (["alerts"], "open_alerts", {}),
    (["alerts", "--test"], "tell", {"severity": "critical", "text": "This is a test of the alerts. Nothing is wrong."}),
    (["quarantine", "list"], "quarantined", {"asset": None}),
    (
        ["quarantine", "clear", "m", POINT, "--reason", "planned"],
        "clear_quarantine",
        {"asset": "m", "point": POINT, "reason": "planned", "holds_only": False},
    ),
    (["replicate", "m"], "replicate", {"asset": "m", "point": None, "to": None}),
    (["replicate", POINT, "--to", "b"], "replicate", {"asset": "m", "point": POINT, "to": ["b"]}),
    (
        ["verify"],
        "verify",
        {"asset": None, "point": None, "region": None, "mode": "full", "unverified": False, "percent": None},
    ),
    (
        ["verify", POINT, "--region", "b", "--mode", "structure"],
        "verify",
        {"asset": "m", "point": POINT, "region": "b", "mode": "structure", **ALL},
    ),
    (["heal", "--region", "a"], "heal", {"asset": None, "point": None, "region": "a"}),
    (["heal", POINT, "--region", "a"], "heal", {"asset": "m", "point": POINT, "region": "a"}),
    (
        ["restore", "m", "--to", "/t"],
        "restore",
        {"asset": "m", "target": "/t", "point": "latest", "at": None, "region": None, "include": (), **PLAIN},
    ),
    (
        ["restore", "m", "--to", "/t", "--at", "2026-11-23", "--region", "b", "--include", "*.json"],
        "restore",
        {
            "asset": "m",
            "target": "/t",
            "point": "latest",
            "at": "2026-11-23",
            "region": "b",
            "include": ("*.json",),
            **PLAIN,
        },
    ),
    (
        [
            "restore",
            "m",
            "--to",
            "/t",
            "--point",
            POINT,
            "--with-attachments",
            "/p",
            "--tensor",
            "a",
            "--tensor",
            "f:b",
        ],
        "restore",
        {
            "asset": "m",
            "target": "/t",
            "point": POINT,
            "at": None,
            "region": None,
            "include": (),
            "attachments": "/p",
            "tensor": ("a", "f:b"),
        },
    ),
    (["uncover", "--region", "a"], "uncover", {"region": "a"}),
    (
        ["smoke", "m", "--dir", "/t"],
        "smoke",
        {"asset": "m", "directory": "/t", "point": "latest", "control": False},
    ),
    (
        ["smoke", "m", "--dir", "/t", "--point", "p", "--control"],
        "smoke",
        {"asset": "m", "directory": "/t", "point": "p", "control": True},
    ),
    (["drill", "m"], "drill", {"asset": "m", "scenario": None, "region": None, "disaster_at": None}),
    (
        ["drill", "m", "--scenario", "region-lost", "--region", "a", "--disaster-at", "2026-11-23T18:00:00Z"],
        "drill",
        {"asset": "m", "scenario": "region-lost", "region": "a", "disaster_at": "2026-11-23T18:00:00Z"},
    ),
    (["drill", "--list"], "drills", {"asset": None}),
    (["drill", "m", "--list"], "drills", {"asset": "m"}),
    (["drill", "--undo"], "undo_drills", {}),
    (["status"], "status", {}),
    (["doctor"], "doctor", {}),
]
LEFT = {"drill": "d0", "asset": "m", "scenario": "region-lost"}
NOT_DONE = [
    (
        ["drill", "--undo"],
        "undo_drills",
        {"undone": [], "failed": [{**LEFT, "why": "the command failed"}], "unswept": [], "ok": False},
        7,
        "NOT undone: region-lost of m, drill d0: the command failed",
    ),
    (
        ["heal", "--region", "a"],
        "heal",
        {**ANSWERS["heal"], "ok": False, "healed": [], "unhealed": [{"key": "packs/ab/abcd", "why": "it is gone"}]},
        4,
        "NOT HEALED packs/ab/abcd: it is gone",
    ),
    (
        ["verify"],
        "verify",
        {"ok": False, "runs": [], "results": [{**RESULT, "ok": False, "findings": ["pack ab is damaged"]}]},
        4,
        "ab is damaged",
    ),
    (
        ["smoke", "m", "--dir", "/t"],
        "smoke",
        {**SMOKE, "passed": False, "cause": "wrong tokenizer"},
        3,
        "wrong tokenizer",
    ),
    (
        ["smoke", "m", "--dir", "/t", "--control"],
        "smoke",
        {**SMOKE, "control": {**CONTROL, "controls": [{"name": "n", "caught": False, "detail": "w with noise"}]}},
        3,
        "NOT NOTICED",
    ),
    (
        ["drill", "m"],
        "drill",
        {**ANSWERS["drill"], "verdict": "not proven", "reasons": ["RTO missed"]},
        3,
        "RTO missed",
    ),
    (
        ["backup", "m"],
        "backup",
        {**ANSWERS["backup"], "gate": {**ANSWERS["backup"]["gate"], "quarantined": True, "findings": ["NaN appeared"]}},
        3,
        "NaN appeared",
    ),
    (["status"], "status", {"ok": False, "assets": [{**ANSWERS["status"]["assets"][0], "ok": False}]}, 3, "BROKEN"),
    (
        ["doctor"],
        "doctor",
        {
            "ok": False,
            "checks": [{"name": "x", "ok": False, "detail": "d", "fix": "do y"}],
            "warnings": ["in the clear"],
        },
        2,
        "do y",
    ),
]


@pytest.mark.parametrize(("arguments", "method", "given"), CALLS)
def test_what_a_command_asks_of_the_runtime(drctl, arguments, method, given):
    assert drctl(*arguments) == 0
    assert drctl.runtime.calls[method] == given
    assert drctl.err == ""


@pytest.mark.parametrize(("arguments", "method", "_given"), CALLS)
def test_with_json_stdout_holds_the_runtimes_document_alone(drctl, arguments, method, _given):
    assert drctl.json(*arguments, "--json") == (0, drctl.runtime.answers[method])
    assert drctl.err == ""


@pytest.mark.parametrize(("arguments", "method", "_given"), CALLS)
def test_what_a_person_reads_fits_80_columns(drctl, arguments, method, _given):
    drctl(*arguments)
    assert drctl.out.strip()
    assert max(len(line) for line in drctl.out.splitlines()) <= 80


@pytest.mark.parametrize(("arguments", "method", "answer", "code", "says"), NOT_DONE)
def test_a_bad_answer_is_told_and_is_the_exit_code(drctl, arguments, method, answer, code, says):
    drctl.runtime.answers[method] = answer
    assert drctl(*arguments) == code
    assert says in drctl.out
    assert drctl.json(*arguments, "--json") == (code, answer)


def test_a_backup_tells_its_point_its_copies_and_what_it_lacks(drctl):
    drctl("backup", "m")
    assert POINT in drctl.out
    assert "copies   a complete" in drctl.out
    assert "         b complete" in drctl.out
    assert "no golden outputs" in drctl.out


def test_a_backup_tells_what_it_was_compared_with_and_what_could_not_be(drctl):
    drctl("backup", "m")
    assert f"like     {POINT}" in drctl.out
    assert "untold   the norms of 2 changed tensors" in drctl.out


def test_a_point_in_quarantine_is_shown_with_its_reason(drctl):
    drctl("points")
    assert "QUARANTINE" in drctl.out
    drctl("quarantine", "list")
    assert "2 earlier points are on hold" in drctl.out
    assert "it was never committed" in drctl.out


def test_a_restore_warns_of_a_point_in_quarantine(drctl):
    drctl.runtime.answers["restore"] = {**ANSWERS["restore"], "warnings": ["it is in quarantine: NaN"]}
    assert drctl("restore", "m", "--to", "/t", "--point", POINT) == 0
    assert "WARNING   it is in quarantine: NaN" in drctl.out


def test_clearing_without_a_reason_is_exit_2(drctl):
    assert drctl("quarantine", "clear", "m", POINT) == 2


def test_nothing_to_replicate_is_said(drctl):
    drctl.runtime.answers["replicate"] = {"asset": "m", "copied": [], "seconds": 0.1}
    assert drctl("replicate", "m") == 0
    assert "every region has every point" in drctl.out


def test_nothing_to_verify_is_said(drctl):
    drctl.runtime.answers["verify"] = {"ok": True, "results": [], "runs": []}
    assert drctl("verify") == 0
    assert "there is no copy to verify" in drctl.out


@pytest.mark.parametrize("name", ["nosuch", "20261123T180000000000Z-ffffffff"])
@pytest.mark.parametrize("command", ["verify", "replicate"])
def test_a_name_that_is_neither_asset_nor_point_is_exit_5(drctl, command, name):
    assert drctl(command, name) == NotFound.exit_code
    assert name in drctl.err


def test_square_brackets_are_told_as_they_are(drctl):
    drctl.runtime.answers["verify"] = {
        "ok": False,
        "runs": [],
        "results": [{**RESULT, "ok": False, "findings": ["frame [bold]7[/bold] :x:"]}],
    }
    drctl("verify")
    assert "frame [bold]7[/bold] :x:" in drctl.out


def test_show_tells_files_tensors_and_that_there_is_more(drctl):
    assert drctl("show", "m") == 0
    said = " ".join(drctl.out.split())
    assert "3 files, 2 tensors, told by a" in said
    assert "model.safetensors 4 kB 644 abababababababab…" in said
    assert "layer.0 F32 10×100 -1.5 2.25 0.001 0 1" in said
    assert "step I64 scalar - - - - -" in said
    assert "There is more: --offset 1" in said


def test_alerts_say_since_when_and_that_nobody_heard_yet(drctl):
    assert drctl("alerts") == 0
    assert "critical 2026-11-23T18:00:00 nobody yet m is not protected" in " ".join(drctl.out.split())


def test_a_test_of_the_alerts_says_whom_it_reached(drctl):
    assert drctl("alerts", "--test") == 0
    assert drctl.out == "sent to env:OPS, airflow:pager\n"
    drctl.runtime.answers["tell"] = {"recipients": []}
    drctl("alerts", "--test")
    assert "nobody: dr.yaml names no recipient" in drctl.out
