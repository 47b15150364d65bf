"""A point describes one moment: nothing half-written, nothing missing, nothing moving."""

from __future__ import annotations

import json
import logging
import os
import struct
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dr_lib.errors import SourceUnstable
from dr_lib.sources.base import SourceListing
from dr_lib.sources.directory import DirectorySource
from dr_lib.sources.freeze import MAX_INDEX_BYTES, changes, freeze
from tests.unit.sources.trees import rewrite_in_place

INDEX = "model.safetensors.index.json"
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


class BusySource(DirectorySource):
    """A tree in which something is done right after the first look."""

    def __init__(self, root: Path, act) -> None:
        super().__init__(root)
        self.act = act

    def listing(self) -> SourceListing:
        listing = super().listing()
        act, self.act = self.act, lambda: None
        act()
        return listing


def sharded(root: Path, *present: str) -> DirectorySource:
    weight_map = {f"layer.{number}": SHARDS[number % 2] for number in range(6)}
    (root / INDEX).write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": weight_map}))
    for name in present:
        (root / name).write_bytes(b"weights")
    return DirectorySource(root)


def test_a_tree_that_holds_still_is_listed(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"w")
    (tmp_path / "empty").mkdir()
    source = DirectorySource(tmp_path)
    assert freeze(source) == source.listing()


@pytest.mark.parametrize(
    "name",
    ["m.tmp", "m.incomplete", "m.part", "m.partial", "m.crdownload", "Unconfirmed.download", "M.TMP", "d/deep/m.part"],
)
def test_what_is_named_like_an_unfinished_download_is_refused(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(SourceUnstable, match=f"still being written.*'{name}'.*wait until they are whole"):
        freeze(DirectorySource(tmp_path))


def test_a_directory_that_is_named_so_is_refused(tmp_path):
    (tmp_path / "checkpoint-500.tmp").mkdir()
    with pytest.raises(SourceUnstable, match=r"'checkpoint-500\.tmp'"):
        freeze(DirectorySource(tmp_path))


@pytest.mark.parametrize("name", [".lock", "m.lock", "tmp", "part", "m.tmp.bin", "apart"])
def test_names_that_only_resemble_those_are_fine(tmp_path, name):
    (tmp_path / name).touch()
    assert [file.path for file in freeze(DirectorySource(tmp_path)).files] == [name]


def test_the_first_five_offenders_are_named_and_all_counted(tmp_path):
    for number in range(8):
        (tmp_path / f"{number}.part").touch()
    with pytest.raises(SourceUnstable, match=r"\(8\): '0\.part'.*'4\.part' and 3 more") as caught:
        freeze(DirectorySource(tmp_path))
    assert "5.part" not in str(caught.value)


def test_a_sharded_model_with_all_its_shards_is_whole(tmp_path):
    assert len(freeze(sharded(tmp_path, *SHARDS)).files) == 3


def test_an_index_that_names_an_absent_shard_is_refused(tmp_path):
    with pytest.raises(SourceUnstable, match=rf"incomplete \(1\).*'{INDEX}' names '{SHARDS[1]}'"):
        freeze(sharded(tmp_path, SHARDS[0]))


def test_shards_are_looked_for_beside_their_index(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in SHARDS:
        (tmp_path / name).touch()
    sharded(tmp_path / "sub")
    with pytest.raises(SourceUnstable, match=r"\(2\): 'sub/"):
        freeze(DirectorySource(tmp_path))


@pytest.mark.parametrize("shard", ["../../etc/passwd", "/etc/passwd", "d", ""])
def test_a_shard_is_a_file_of_the_tree(tmp_path, shard):
    (tmp_path / "d").mkdir()
    (tmp_path / INDEX).write_text(json.dumps({"weight_map": {"w": shard}}))
    with pytest.raises(SourceUnstable, match="which is not there"):
        freeze(DirectorySource(tmp_path))


def model_cache(root: Path, *blobs: str) -> DirectorySource:
    """Snapshots that link to blobs, as the Hugging Face hub lays out its cache."""
    snapshot = root / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    (root / "blobs").mkdir()
    sharded(root / "blobs", *blobs)
    (root / "blobs" / INDEX).rename(root / "blobs" / "index")
    (snapshot / INDEX).symlink_to("../../blobs/index")
    for name in SHARDS:
        (snapshot / name).symlink_to(f"../../blobs/{name}")
    return DirectorySource(root)


def test_shards_and_their_index_may_be_links_as_in_a_model_cache(tmp_path):
    assert len(freeze(model_cache(tmp_path, *SHARDS)).links) == 3


def test_a_shard_that_is_a_dangling_link_is_absent(tmp_path):
    with pytest.raises(SourceUnstable, match=rf"\(1\): 'snapshots/main/{INDEX}' names '{SHARDS[0]}'"):
        freeze(model_cache(tmp_path, SHARDS[1]))


@pytest.mark.parametrize("content", [b'{"weight_map": {"a": "m', b"", b"[" * 100_000, b"\xff\xfe"])
def test_an_index_that_is_no_json_is_half_written(tmp_path, content):
    (tmp_path / INDEX).write_bytes(content)
    with pytest.raises(SourceUnstable, match=f"no JSON.*'{INDEX}'"):
        freeze(DirectorySource(tmp_path))


@pytest.mark.parametrize("content", ["{}", "[]", '{"weight_map": null}', '{"weight_map": {"a": 1}}', '"text"'])
def test_an_index_of_something_else_is_left_alone(tmp_path, content):
    (tmp_path / "pages.index.json").write_text(content)
    assert len(freeze(DirectorySource(tmp_path)).files) == 1


def test_a_file_too_large_for_an_index_is_not_loaded(tmp_path, caplog):
    with (tmp_path / INDEX).open("wb") as out:
        out.truncate(MAX_INDEX_BYTES + 1)
    assert len(freeze(DirectorySource(tmp_path)).files) == 1
    assert f"{INDEX!r} is too large" in caplog.text


def test_what_moves_between_the_two_looks_is_refused(tmp_path):
    weights = tmp_path / "weights"
    weights.write_bytes(b"old")
    busy = BusySource(tmp_path, lambda: rewrite_in_place(weights, b"new"))
    with pytest.raises(SourceUnstable, match=r"is changing \(1\): changed 'weights'.*wait until nothing writes"):
        freeze(busy)


def test_a_file_from_the_future_is_only_noted(tmp_path, caplog):
    (tmp_path / "early").touch()
    os.utime(tmp_path / "early", (2_000_000_000, 2_000_000_000))
    source = DirectorySource(tmp_path)
    with caplog.at_level(logging.WARNING):
        freeze(source, clock=lambda: datetime(2034, 1, 1, tzinfo=UTC))
        assert caplog.messages == []
        freeze(source, clock=lambda: datetime(2033, 1, 1, tzinfo=UTC))
    assert len(caplog.messages) == 1
    assert "'early'" in caplog.text


def test_equal_listings_have_no_changes(tmp_path):
    (tmp_path / "f").touch()
    source = DirectorySource(tmp_path)
    assert changes(source.listing(), source.listing()) == ()


def test_changes_say_what_was_added_removed_and_changed(tmp_path):
    for name in ("gone", "grown", "kept", "touched"):
        (tmp_path / name).write_bytes(b"1")
    (tmp_path / "link").symlink_to("kept")
    source = DirectorySource(tmp_path)
    before = source.listing()
    (tmp_path / "gone").unlink()
    (tmp_path / "grown").write_bytes(b"123")
    rewrite_in_place(tmp_path / "touched", b"2")
    (tmp_path / "added").mkdir()
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("grown")
    after = replace(source.listing(), directories=(before.directories[0], *source.listing().directories[1:]))
    assert changes(before, after) == (
        "added 'added'",
        "removed 'gone'",
        "changed 'grown' (1 to 3 bytes)",
        "changed 'link'",
        "changed 'touched'",
    )


def test_any_difference_of_two_listings_is_a_change(tmp_path):
    (tmp_path / "f").touch()
    (tmp_path / "d").mkdir()
    (tmp_path / "l").symlink_to("f")
    listing = DirectorySource(tmp_path).listing()
    file, directory, link = listing.files[0], listing.directories[1], listing.links[0]
    others = [
        replace(listing, files=(replace(file, mode=0o600),)),
        replace(listing, files=(replace(file, mtime_ns=1),)),
        replace(listing, files=(replace(file, tag="other"),)),
        replace(listing, directories=(listing.directories[0], replace(directory, mode=0o700))),
        replace(listing, links=(replace(link, target="d"),)),
        replace(listing, links=()),
    ]
    assert [len(changes(listing, other)) for other in others] == [1] * len(others)


SAFETENSORS = (
    struct.pack("<Q", 64)
    + json.dumps({"w": {"dtype": "U8", "shape": [9], "data_offsets": [0, 9]}}).encode().ljust(64)
    + bytes(9)
)
ARCHIVE = b"PK\x03\x04" + bytes(60) + b"PK\x05\x06" + bytes(18)


@pytest.mark.parametrize(
    ("name", "whole", "length", "said"),
    [
        ("m.safetensors", SAFETENSORS, 80, "has 80 of the 81 bytes that its header promises"),
        ("m.safetensors", SAFETENSORS, 30, "ends within its header of 64 bytes"),
        ("m.SAFETENSORS", SAFETENSORS, 0, "is empty"),
        ("t.parquet", b"PAR1" + bytes(30) + b"PAR1", 20, "has no footer"),
        ("t.parquet", b"PAR1" + bytes(30) + b"PAR1", 0, "has no footer"),
        ("c.pt", ARCHIVE, 60, "is an archive without its directory"),
    ],
)
def test_a_save_in_flight_is_refused_and_what_has_been_so_for_long_is_kept(tmp_path, name, whole, length, said):
    path = tmp_path / name
    path.write_bytes(whole)
    freeze(DirectorySource(tmp_path))
    path.write_bytes(whole[:length])
    with pytest.raises(SourceUnstable, match=f"a save is under way.*{name}' {said}"):
        freeze(DirectorySource(tmp_path))
    os.utime(path, (1, 1))
    freeze(DirectorySource(tmp_path))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("m.safetensors", b"nothing of the kind"),
        ("m.safetensors", struct.pack("<Q", 20) + b'{"odd": ["header"]} '),
        ("t.parquet", b"a table by name alone"),
        ("c.bin", b"weights of another kind"),
        ("c.pt", ARCHIVE + b"a comment"),
    ],
)
def test_fresh_bytes_that_promise_nothing_are_kept(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    freeze(DirectorySource(tmp_path))


def test_a_distributed_checkpoint_is_whole_when_its_metadata_is_there(tmp_path):
    (tmp_path / "step").mkdir()
    part = tmp_path / "step" / "__0_0.distcp"
    part.write_bytes(ARCHIVE)
    with pytest.raises(SourceUnstable, match=r"'step' holds parts of a distributed checkpoint and no \.metadata"):
        freeze(DirectorySource(tmp_path))
    (tmp_path / "step" / ".metadata").write_bytes(b"m")
    freeze(DirectorySource(tmp_path))
    (tmp_path / "step" / ".metadata").unlink()
    os.utime(part, (1, 1))
    freeze(DirectorySource(tmp_path))


def test_a_clock_that_is_ahead_refuses_no_file_for_ever(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(SAFETENSORS[:80])
    os.utime(path, (4e9, 4e9))
    freeze(DirectorySource(tmp_path))
