"""A runtime that answers from a table, so that the frame of the command line is tested and nothing else."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dr_lib.cli.main import main
from dr_lib.cli.session import Session
from dr_lib.errors import NotFound
from dr_lib.runtime import Runtime

POINT = "20261123T180000000000Z-0a1b2c3d"
RESULT = {"asset": "m", "point": POINT, "region": "a", "mode": "full", "bytes_read": 5, "seconds": 0.5}
SMOKE = {
    "passed": True,
    "checks": [{"name": "cosine", "measured": "1.0", "required": ">= 0.999", "passed": True}],
    "cause": None,
    "accelerator": "cpu",
    "load_s": 1.5,
    "first_output_s": 0.1,
    "measures": {},
}
CONTROL = {
    "controls": [
        {"name": "a tensor perturbed", "caught": True, "detail": "w with noise: cosine 0.9"},
        {"name": "two layers swapped", "caught": None, "detail": "there are no two"},
    ],
    "detection_limit": 0.00071,
    "limit_tensor": "w",
    "seconds": 3.0,
    "note": "",
}
EVIDENCE = {
    "drill": POINT,
    "asset": "m",
    "scenario": "region-lost",
    "verdict": "proven",
    "expected": "recovery",
    "rto_s": 9.5,
    "rpo_s": 60.0,
    "age_s": 7200.0,
    "regions": ["a", "c"],
}
PROVEN = {
    "sha256": "ab" * 32,
    "signed_by": ["0123456789abcdef"],
    "previous": None,
    "point": "the manifest is the one",
    "locks": {"a": "2026-12-26T18:00:00+00:00", "c": "unlocked"},
}
ANSWERS: dict[str, Any] = {
    "initialize": {
        "regions": [
            {
                "region": "a",
                "created": True,
                "vault": "v1",
                "lock": {
                    "mode": "compliance",
                    "days": 400,
                    "refused": ["deletion", "shortening"],
                    "tried_as": "janitor",
                },
                "warnings": ["region a: the bucket locks for 400 days by its own default"],
            },
            {"region": "b", "created": False, "vault": "v2", "lock": None, "warnings": []},
        ]
    },
    "uncover": {"region": "a", "uncovered": ["vault.json"]},
    "backup": {
        "point": POINT,
        "asset": "m",
        "created_at": "2026-11-23T18:00:00Z",
        "logical_bytes": 90_900_000,
        "stored_bytes": 83_000_000,
        "new_bytes": 1_000,
        "files": 11,
        "copies": {"a": "complete", "b": "complete"},
        "seconds": 3.2,
        "warnings": ["no golden outputs"],
        "gate": {
            "quarantined": False,
            "findings": [],
            "compared_with": POINT,
            "new_share": 0.25,
            "untold": ["the norms of 2 changed tensors are not compared"],
        },
    },
    "points": [
        {
            "point": POINT,
            "asset": "m",
            "logical_bytes": 5,
            "stored_bytes": 4,
            "copies": {"a": "verified", "b": "unknown"},
            "locks": {"a": "2026-12-26T18:00:00.000000Z"},
            "quarantined": ["NaN appeared in 1 tensor"],
        }
    ],
    "open_alerts": {
        "alerts": [
            {
                "key": "asset:m",
                "severity": "critical",
                "text": "m is not protected",
                "since": "2026-11-23T18:00:00.000000Z",
                "told_at": None,
            }
        ],
        "recipients": ["env:OPS"],
    },
    "tell": {"recipients": ["env:OPS", "airflow:pager"]},
    "contents": {
        "asset": "m",
        "point": POINT,
        "region": "a",
        "created_at": "2026-11-23T18:00:00Z",
        "files": [{"path": "model.safetensors", "bytes": 4_000, "mode": "644", "sha256": "ab" * 32}],
        "file_count": 3,
        "tensors": [
            {
                "file": "model.safetensors",
                "name": "layer.0",
                "dtype": "F32",
                "shape": [10, 100],
                "bytes": 4_000,
                "min": -1.5,
                "max": 2.25,
                "mean": 0.001,
                "nan": 0,
                "inf": 1,
            },
            {
                "file": "model.safetensors",
                "name": "step",
                "dtype": "I64",
                "shape": [],
                "bytes": 8,
                **dict.fromkeys(("min", "max", "mean", "nan", "inf")),
            },
        ],
        "tensor_count": 2,
        "next": 1,
        "environment": {"python": "3.11"},
        "source": {"url": "file:///m"},
    },
    "quarantined": [
        {
            "asset": "m",
            "point": POINT,
            "at": "2026-11-23T18:00:00Z",
            "regions": ["a"],
            "findings": ["NaN appeared in 1 tensor"],
            "committed": False,
            "held": ["p1", "p2"],
        }
    ],
    "clear_quarantine": {"asset": "m", "point": POINT, "cleared": ["a"], "released": {"a": ["p1"], "b": []}},
    "replicate": {"asset": "m", "copied": [{"point": POINT, "region": "b", "from": "a", "new_bytes": 5}], "seconds": 1},
    "verify": {"ok": True, "results": [{**RESULT, "ok": True, "findings": []}], "runs": []},
    "heal": {
        "region": "a",
        "healed": [{"key": "packs/ab/abcd", "was": "damaged", "from": "region b"}],
        "unhealed": [],
        "given_up": [],
        "results": [{**RESULT, "ok": True, "findings": []}],
        "ok": True,
    },
    "restore": {
        "point": POINT,
        "region": "b",
        "target": "/t",
        "files": 2,
        "bytes": 5,
        "seconds": 1.0,
        "phases": {"plan": 0.1, "fetch": 0.9},
        "repairs": [],
        "warnings": [],
    },
    "smoke": SMOKE,
    "drill": {
        "drill": "d1",
        "asset": "m",
        "scenario": "region-lost",
        "lost_region": "a",
        "lost_how": "left out",
        "restored_from": "b",
        "point": POINT,
        "rpo_s": 60.0,
        "rpo_objective_s": 3600.0,
        "rto_s": 9.5,
        "rto_objective_s": 900.0,
        "phases": {"restore": 9.5},
        "bytes": 5,
        "verdict": "proven",
        "reasons": [],
        "unproven": ["there was no GPU"],
        "evidence": {"b": "evidence/d1.json"},
        "smoke": SMOKE,
    },
    "evidence": {"evidence": [EVIDENCE], "problems": [], "silent": {"b": "no answer"}},
    "show_evidence": {
        **EVIDENCE,
        **PROVEN,
        "statement": {
            "predicate": {
                "phases": [{"name": "fetch", "seconds": 9.5}, {"name": "load", "seconds": "nan"}],
                "lost_how": "left out",
                "point": POINT,
                "restored_from": "b",
                "rpo_objective_s": 3600.0,
                "rto_objective_s": 900.0,
                "reasons": [],
                "unproven": ["there was no GPU"],
            }
        },
    },
    "verify_evidence": {
        "assets": [{"asset": "m", "evidence": [{**EVIDENCE, **PROVEN}], "problems": [], "notes": ["b is silent"]}],
        "ok": True,
    },
    "render_evidence": {"drill": POINT, "asset": "m", "files": {"/t/p.html": 50_000}},
    "predict_rto": {
        "asset": "m",
        "bytes": 5 * 10**11,
        "seconds": 600.0,
        "low_s": 500.0,
        "high_s": 700.0,
        "phases": {"fetch": 500.0},
        "notes": ["by drills of m"],
    },
    "undo_drills": {
        "undone": [{"drill": "d0", "asset": "m", "scenario": "region-lost", "notes": ["a note"]}],
        "failed": [],
        "unswept": [],
        "ok": True,
    },
    "drills": {
        "assets": [
            {
                "asset": "m",
                "scenarios": [
                    {"scenario": "region-lost", "verdict": "proven", "age_s": 90.0, "policy_current": True},
                    {"scenario": "slow-link", "verdict": "proven", "age_s": 9000.0, "policy_current": False},
                    {"scenario": "key-lost", "verdict": None, "age_s": None, "policy_current": None},
                ],
                "problems": ["never drilled: key-lost"],
            }
        ]
    },
    "status": {
        "ok": True,
        "assets": [
            {
                "asset": "m",
                "newest_verified": POINT,
                "rpo_s": 60.0,
                "rpo_objective_s": 3600.0,
                "rto_objective_s": 900.0,
                "last_drill": None,
                "problems": [],
                "ok": True,
            }
        ],
    },
    "doctor": {
        "ok": True,
        "checks": [{"name": "region a", "ok": True, "detail": "the vault answers", "fix": ""}],
        "warnings": [],
    },
}


@dataclass
class FakeRuntime:
    """Answers from `answers` and remembers `calls`; refuses a call that the real runtime could not take."""

    answers: dict[str, Any] = field(default_factory=lambda: dict(ANSWERS))
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    config: Any = field(default_factory=lambda: SimpleNamespace(assets={"m": None}, asset=known_asset))

    def __getattr__(self, name: str) -> Any:
        signature = inspect.signature(getattr(Runtime, name))

        def call(*positional: Any, **named: Any) -> Any:
            given = signature.bind(self, *positional, **named).arguments
            self.calls[name] = {key: value for key, value in given.items() if key not in ("self", "progress")}
            answer = self.answers[name]
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return call


def known_asset(name: str) -> SimpleNamespace:
    if name != "m":
        raise NotFound(f"no asset named {name!r}", where="/x/dr.yaml", hint="assets there: m")
    return SimpleNamespace(name=name)


@dataclass
class Drctl:
    """Runs `drctl` in this process over the fake runtime."""

    runtime: FakeRuntime
    capture: pytest.CaptureFixture[str]
    loaded_from: Path | None = None
    out: str = ""
    err: str = ""

    def __call__(self, *arguments: str) -> int:
        code = main(list(arguments), Session(load=self.load))
        self.out, self.err = self.capture.readouterr()
        return code

    def load(self, path: Path | None) -> FakeRuntime:
        self.loaded_from = path
        return self.runtime

    def json(self, *arguments: str) -> tuple[int, Any]:
        """Exit code and the document; fails unless stdout is exactly one JSON document."""
        code = self(*arguments)
        return code, json.loads(self.out)


@pytest.fixture
def drctl(capsys, monkeypatch) -> Drctl:
    monkeypatch.setenv("COLUMNS", "80")
    return Drctl(FakeRuntime(), capsys)
