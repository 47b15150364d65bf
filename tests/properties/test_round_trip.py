"""Any small tree that is backed up and restored is the same tree, names, modes, links and all."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from dr_lib.policy.choice import choose, restorable_regions
from dr_lib.testing.strategies import SourceTree, known_points, trees, write_tree
from tests.world import ASSET, make_world, tree


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees())
def test_a_tree_comes_back_as_it_was(made: SourceTree):
    folder = Path(tempfile.mkdtemp())
    try:
        world = make_world(folder / "w", ("one",))
        write_tree(made, world.source)
        world.runtime.backup(ASSET)
        world.runtime.restore(ASSET, str(folder / "restored"))
        assert tree(folder / "restored") == tree(world.source)
    finally:
        shutil.rmtree(folder)


@given(known_points())
def test_the_newest_point_that_can_be_restored_is_chosen(points):
    able = [point for point in points if restorable_regions(point)]
    if able:
        assert choose("thing", points, "latest").point == able[0]
