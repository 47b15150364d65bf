"""Worlds for what checks them: a verified asset, and one that was drilled, too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from dr_lib.use_cases.drill_results import digest_of
from dr_lib.workflows.evidence.keep import keep
from tests.drills import report
from tests.world import ASSET, World, make_world


def verified(folder: Path, backups: int = 1, **more: Any) -> World:
    """A dataset in two regions, verified as often as it was backed up."""
    world = make_world(folder, **{"asset": {"kind": "dataset"}} | more)
    (world.source / "file").write_bytes(b"x")
    for _ in range(backups):
        world.runtime.backup(ASSET)
        assert world.runtime.verify(ASSET)["ok"]
    return world


def proven(folder: Path) -> World:
    """The same, with evidence of a drill of each scenario of its plan."""
    world = verified(folder)
    asset = world.runtime.config.asset(ASSET)
    plan = world.runtime.status()["assets"][0]["scenarios"]
    for number, one in enumerate(plan):
        drill = f"20261123T18000000000{number}Z-0000000a"
        facts = {"asset": ASSET, "drill": drill, "scenario": one["scenario"], "policy_sha256": digest_of(asset)}
        keep([world.vault(name) for name in world.regions], replace(report(), **facts))
    return world
