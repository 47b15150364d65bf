"""The campaigns would tell: a point that is lost or wrong, damage that nobody finds, wrong bytes in a tree."""

import random
from pathlib import Path

import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from tests.campaigns.corruption import examine
from tests.campaigns.damage import damages
from tests.campaigns.patients import make_patient
from tests.campaigns.scenes import FIRST, SECOND, make_scene
from tests.world import ASSET, flip, tree


def test_a_lost_and_a_rotten_point_are_losses(seaweed: SeaweedRegion, tmp_path: Path):
    scene = make_scene(tmp_path / "w", seaweed, random.Random(1))
    scene.runtime.backup(ASSET)
    assert list(scene.losses()) == []
    janitor = scene.runtime._wiring.janitor(FIRST)
    for pack in list(janitor.list("packs/")):
        janitor.replace(pack.key, flip(janitor.get(pack.key)), pack.tag)
    [rotten] = scene.losses()
    assert f"did not come back from {FIRST}" in rotten
    away = scene.runtime._wiring.janitor(SECOND)
    for version in list(away.versions("points/")):
        away.delete(version.key, version.version)
    assert any(f"is gone from {SECOND}" in loss for loss in scene.losses())


def test_a_point_that_comes_back_as_another_tree_is_a_loss(seaweed: SeaweedRegion, tmp_path: Path):
    scene = make_scene(tmp_path / "w", seaweed, random.Random(1))
    point = scene.runtime.backup(ASSET, [FIRST])["point"]
    scene.trees[point] = tree(scene.source) | {"another file": ("file",)}
    assert list(scene.losses()) == [f"{point} came back wrong from {FIRST}"]


def test_damage_that_verification_overlooks_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    patient = make_patient(tmp_path / "w", sealed=False)
    case = next(case for case in damages(patient.objects, {}, seldom=True) if case.object_class == "packs")
    monkeypatch.setattr(type(patient.world.runtime), "verify", lambda *_, **__: {"ok": True})
    assert examine(patient, case).missed


def test_wrong_bytes_in_a_tree_are_wrong(tmp_path: Path):
    patient = make_patient(tmp_path / "w", sealed=False)
    case = next(case for case in damages(patient.objects, {}, seldom=True) if case.object_class == "index")
    for right in patient.trees.values():
        right["another file"] = ("file",)
    assert sum("gave wrong bytes" in problem for problem in examine(patient, case).wrong) == 4
