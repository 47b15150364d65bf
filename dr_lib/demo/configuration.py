"""The demo's `dr.yaml` and the samples it protects."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from dr_lib.demo import assets
from dr_lib.demo.keys import protection
from dr_lib.demo.regions import LOCKED_REGION, REGIONS, credentials_prefix
from dr_lib.demo.workspace import Workspace
from dr_lib.workflows.keys.generate import ESCROW

MODEL = "minilm"
DATASET = "tables"
LEVERS = ("lose", "return", "revoke", "reinstate")
"""Commands of `drctl demo` that do something to a region, or undo it."""
_HEAD = "# The demo's configuration, written by `drctl demo up`. No secret stands here: see secrets.env and keys/.\n"
_SUITE = f"expectations/{DATASET}.json"
_OBJECTIVES = {"rpo": "24h", "rto": "15m"}


def stage_samples(workspace: Workspace) -> None:
    """Put the live assets and the dataset's expectations in place. Safe to repeat: what stands there is left alone."""
    assets.stage_model(workspace.sources / MODEL)
    assets.stage_dataset(workspace.sources / DATASET)
    suite = workspace.home / _SUITE
    suite.parent.mkdir(parents=True, exist_ok=True)
    suite.write_text(assets.expectation_suite())


def write_configuration(workspace: Workspace, endpoints: dict[str, str]) -> None:
    """Write `dr.yaml`; `endpoints` are the S3 URLs by region. The keys must have been made."""
    workspace.config_file.write_text(_HEAD + yaml.safe_dump(_document(workspace, endpoints), sort_keys=False))


def _document(workspace: Workspace, endpoints: dict[str, str]) -> dict[str, Any]:
    model = {"kind": "model", "smoke": {"loader": "sentence-transformers"}}
    dataset = {"kind": "dataset", "expectations": _SUITE}
    return {
        "version": 1,
        "regions": {name: _region(name, endpoints[name]) | _levers(workspace, name) for name in REGIONS},
        **_protection(workspace),
        "limits": {"shard": "32MiB"},
        "assets": {
            MODEL: model | _promised(workspace.sources / MODEL),
            DATASET: dataset | _promised(workspace.sources / DATASET),
        },
    }


def _region(name: str, endpoint: str) -> dict[str, Any]:
    region: dict[str, Any] = {
        "url": f"s3://dr-{name}",
        "endpoint": endpoint,
        "credentials": f"env:{credentials_prefix(name)}",
    }
    return region | ({"lock": {"mode": "governance", "days": 1}} if name == LOCKED_REGION else {})


def _levers(workspace: Workspace, region: str) -> dict[str, Any]:
    """What drills may do to the region, by the demo's own commands."""
    drctl = [sys.executable, "-m", "dr_lib.cli", "demo"]
    commands = {lever: [*drctl, lever, region, "--home", str(workspace.home)] for lever in LEVERS}
    return {"rehearsal": {**commands, "damage": True}}


def _protection(workspace: Workspace) -> dict[str, Any]:
    """The escrow key lies here, so that its use can be rehearsed; elsewhere it is brought for the rehearsal alone."""
    found = protection(workspace)
    found["encryption"]["escrow"] = f"file:{workspace.keys / ESCROW}"
    return found


def _promised(source: Path) -> dict[str, Any]:
    drill = {"takes_source": True}
    return {"source": source.as_uri(), "regions": list(REGIONS), "objectives": dict(_OBJECTIVES), "drill": drill}
