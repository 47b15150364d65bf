"""A long opaque file is divided among shards, each of which reads its own part to find where to cut."""

from pathlib import Path

import pytest

from dr_lib.sources.cutting import chunking
from dr_lib.sources.directory import DirectorySource
from tests.unit.sources.cutting.contents import MIB, noise
from tests.world import ASSET, make_world, tree


@pytest.fixture
def read(monkeypatch) -> list[int]:
    """Lengths of what was read; files from 16 MiB on have segments of 8 MiB."""
    monkeypatch.setattr(chunking, "CHUNKED_BYTES", 16 * MIB)
    monkeypatch.setattr(chunking, "SEGMENT_BYTES", 8 * MIB)
    monkeypatch.setattr(chunking, "WINDOW_BYTES", 2 * MIB)
    lengths: list[int] = []
    original = DirectorySource.read

    def noting(self, file, offset, length):
        lengths.append(length)
        return original(self, file, offset, length)

    monkeypatch.setattr(DirectorySource, "read", noting)
    return lengths


def test_a_long_file_costs_a_few_reads_of_itself_and_an_insertion_one_segment(tmp_path: Path, read: list[int]):
    world = make_world(tmp_path / "w", ("one",), limits={"shard": "8MiB", "workers": 2})
    content = noise(1, 48 * MIB)
    (world.source / "rows.csv").write_bytes(content)
    assert world.runtime.plan_backup(ASSET)["shards"] >= 5
    read.clear()
    world.runtime.backup(ASSET)
    # The plan's windows, twice the windows of a shard, each part for its cuts and for its bytes, and the digest.
    assert sum(read) < 4.5 * len(content)
    (world.source / "rows.csv").write_bytes(content[:MIB] + b"one more row\n" + content[MIB:])
    done = world.runtime.backup(ASSET)
    assert done["new_bytes"] < 9 * MIB
    world.runtime.restore(ASSET, str(tmp_path / "restored"))
    assert tree(tmp_path / "restored") == tree(world.source)
