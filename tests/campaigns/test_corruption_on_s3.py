"""A sample of the corruption campaign on a real S3 server, with the exit codes of the command line itself."""

import random
import shutil

import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from tests.campaigns.killing import run_command
from tests.campaigns.scenes import FIRST, Scene, make_scene
from tests.world import ASSET, flip, tree

INTEGRITY = 4
NEEDED, OTHERS = ("keys/", "packs/", "points/", "vault.json"), ("events/", "index/", "runs/")


@pytest.fixture(scope="module")
def scene(seaweed: SeaweedRegion, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    made = make_scene(tmp_path_factory.mktemp("scene") / "w", seaweed, random.Random(1))
    made.runtime.backup(ASSET)
    made.runtime.verify(ASSET)
    return made


def damage(scene: Scene, prefix: str) -> None:
    """Turn a bit of the newest object of a class in the first region."""
    janitor = scene.runtime._wiring.janitor(FIRST)
    found = list(janitor.list(prefix))[-1]
    janitor.replace(found.key, flip(janitor.get(found.key)), found.tag)


def restored(scene: Scene, *more: str) -> int:
    """Exit code of a restore, which gives the right tree or none."""
    shutil.rmtree(scene.target, ignore_errors=True)
    code, _ = run_command(scene, ("restore", ASSET, "--to", str(scene.target), *more))
    assert scene.target.exists() == (code == 0)
    assert code != 0 or tree(scene.target) == tree(scene.source)
    return code


@pytest.mark.parametrize("damaged", [*([one] for one in NEEDED), OTHERS], ids=" ".join)
def test_what_is_damaged_is_found_not_restored_and_healed(scene: Scene, damaged: list[str]):
    for prefix in damaged:
        damage(scene, prefix)
    point = ("--point", scene.runtime.points(ASSET)[0]["point"])
    assert restored(scene, *point, "--region", FIRST) == (INTEGRITY if damaged[0] in NEEDED else 0)
    assert restored(scene, *point) == 0
    assert run_command(scene, ("verify", ASSET, "--region", FIRST))[0] == INTEGRITY
    code, said = run_command(scene, ("heal", ASSET, "--region", FIRST))
    assert code == 0, said
    assert run_command(scene, ("verify", ASSET, "--region", FIRST))[0] == 0
    assert restored(scene, *point, "--region", FIRST) == 0
