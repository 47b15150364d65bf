"""A restored tree is the source's tree: bytes, names, modes, times, links, and nothing else."""

import json
import os
from pathlib import Path

import pytest

from tests.world import ASSET, World, make_world, tree, weights

NAMES = [
    "plain",
    "with space",
    "-leading-dash",
    "--",
    "new\nline",
    "ünïcödé-名前-🧊",
    "quote'\"",
    "back\\slash",
    "~",
    "*?[x]",
    ".hidden",
]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path / "a world")


def back_up_and_restore(world: World, **options: object) -> Path:
    world.runtime.backup(ASSET)
    target = world.folder / "restored"
    world.runtime.restore(ASSET, str(target), **options)
    return target


def test_odd_names_come_back(world: World):
    for name in NAMES:
        (world.source / name).write_text(f"content of {name!r}")
        (world.source / "folders" / name).mkdir(parents=True)
    (world.source / os.fsdecode(b"not-utf8-\xff\xfe")).write_bytes(b"x")
    assert tree(back_up_and_restore(world)) == tree(world.source)


def test_modes_times_links_and_empty_things_come_back(world: World):
    source = world.source
    (source / "empty").touch()
    (source / "empty folder" / "another").mkdir(parents=True)
    (source / "read-only").write_bytes(b"r")
    (source / "read-only").chmod(0o444)
    (source / "program").write_bytes(b"p")
    (source / "program").chmod(0o755)
    (source / "link").symlink_to("program")
    (source / "dangling").symlink_to("not there")
    (source / "empty folder" / "up").symlink_to("../program")
    (source / "to folder").symlink_to("empty folder")
    os.utime(source / "program", ns=(1, 1_234_567_890_123_456_789))
    (source / "empty folder").chmod(0o500)
    os.utime(source / "empty folder", ns=(1, 987_654_321_000_000_001))
    source.chmod(0o750)
    assert tree(back_up_and_restore(world)) == tree(source)


def test_a_sparse_file_comes_back_sparse(world: World):
    with (world.source / "sparse").open("wb") as handle:
        handle.seek(64 << 20)
        handle.write(b"end")
    restored = back_up_and_restore(world)
    assert tree(restored) == tree(world.source)
    assert (restored / "sparse").stat().st_blocks * 512 < 16 << 20


def test_a_sharded_model_with_odd_tensors_comes_back(world: World):
    weights(world.source / "model-00001-of-00002.safetensors", 1)
    weights(world.source / "model-00002-of-00002.safetensors", 2)
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (world.source / "model.safetensors.index.json").write_text(json.dumps(index))
    assert tree(back_up_and_restore(world)) == tree(world.source)
    manifest = world.vault("one").manifest(ASSET, world.runtime.points(ASSET)[0]["point"])
    by_name = {t.name: t for t in manifest.tensors if t.file.startswith("model-00001")}
    assert {name: t.shape for name, t in by_name.items()} == {
        "matrix": (700, 500),
        "vector": (33,),
        "scalar": (),
        "nothing": (0, 7),
    }
    scalar, nothing = by_name["scalar"].stats, by_name["nothing"].stats
    assert scalar is not None
    assert (scalar.minimum, scalar.maximum, scalar.mean) == (4.5, 4.5, 4.5)
    assert nothing is not None
    assert (nothing.minimum, nothing.mean) == (None, None)


def test_an_empty_asset_comes_back(world: World):
    assert tree(back_up_and_restore(world)) == tree(world.source)


def test_a_large_file_is_cut_into_shards_and_comes_back(tmp_path: Path):
    world = make_world(tmp_path / "w", limits={"shard": "5MiB", "workers": 3})
    (world.source / "opaque").write_bytes(os.urandom(23 << 20))
    weights(world.source / "model.safetensors")
    (world.source / "small").write_bytes(b"s")
    plan = world.runtime.plan_backup(ASSET)
    assert plan["shards"] > 4
    assert tree(back_up_and_restore(world)) == tree(world.source)


def test_include_brings_what_it_names_and_the_folders_above(world: World):
    for path in ("a/b/wanted.json", "a/b/other.bin", "c/wanted.json", "d/nothing.bin"):
        (world.source / path).parent.mkdir(parents=True, exist_ok=True)
        (world.source / path).write_text(path)
    restored = back_up_and_restore(world, include=["*wanted.json"])
    assert sorted(tree(restored)) == [".", "a", "a/b", "a/b/wanted.json", "c", "c/wanted.json"]


def test_an_older_point_comes_back_by_its_id(world: World):
    (world.source / "f").write_text("old")
    first = world.runtime.backup(ASSET)["point"]
    (world.source / "f").write_text("new")
    world.runtime.backup(ASSET)
    world.runtime.restore(ASSET, str(world.folder / "then"), point=first)
    world.runtime.restore(ASSET, str(world.folder / "now"))
    assert ((world.folder / "then" / "f").read_text(), (world.folder / "now" / "f").read_text()) == ("old", "new")
