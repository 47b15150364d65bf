"""There is no instant at which an anomalous point is committed and believed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.faults.dying import DONE, dies_before
from tests.world import ASSET, make_world, weights

STRIDE = 3


def test_a_backup_of_an_anomaly_killed_anywhere_leaves_no_point_that_is_believed(tmp_path: Path):
    world = make_world(tmp_path / "w", limits={"workers": 1})
    layer = np.linspace(-1, 1, 5000, dtype=np.float32)
    weights(world.source / "m.safetensors", layer=layer)
    good = world.runtime.backup(ASSET)["point"]
    weights(world.source / "m.safetensors", layer=np.zeros_like(layer))
    bad: set[str] = set()
    for step in range(1, 1000, STRIDE):
        outcome = dies_before(step, lambda: world.runtime.backup(ASSET))
        assert [p["point"] for p in world.runtime.points(ASSET) if is_believed(p)] == [good], step
        bad |= {path.stem for path in world.manifests("one")} - {good}
        if outcome == DONE:
            break
    assert step > 40, "the work has too few steps for its deaths to mean anything"
    assert len(bad) > 1, "no try died between its commit and its end"
    assert world.runtime.restore(ASSET, str(tmp_path / "out"))["point"] == good


def is_believed(point: dict[str, object]) -> bool:
    """Committed somewhere, and not in quarantine."""
    copies = point["copies"]
    assert isinstance(copies, dict)
    return point["quarantined"] is None and bool({"complete", "verified"} & set(copies.values()))
