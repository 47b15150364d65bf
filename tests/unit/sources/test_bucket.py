"""Objects below a prefix become a tree, or are refused by their keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from dr_lib.errors import NotFound, SourceUnstable
from dr_lib.model.manifest import DirectoryEntry
from dr_lib.sources.base import SourceFile
from dr_lib.sources.bucket import BucketSource
from dr_lib.sources.freeze import changes
from dr_lib.storage.base import ObjectInfo
from dr_lib.storage.memory import MemoryStore

URL = "s3://lake/reviews"
CHANGED = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)


class AnyKeyStore(MemoryStore):
    """Lists what S3 would let others write there, though this project never would."""

    def __init__(self, *listed: tuple[str, int]) -> None:
        super().__init__("source", clock=lambda: CHANGED)
        self.listed = listed

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        yield from super().list(prefix)
        yield from (ObjectInfo(key, size, CHANGED, "tag") for key, size in self.listed)


def test_keys_become_files_and_imply_their_directories():
    store = AnyKeyStore()
    store.create("a/b/c.parquet", b"12345")
    store.create("größe x", b"")
    listing = BucketSource(store, URL).listing()
    tag = store.head("a/b/c.parquet").tag
    assert listing.files[0] == SourceFile("a/b/c.parquet", 0o644, 1_714_979_289_123_456_000, 5, tag)
    assert [(file.path, file.size) for file in listing.files] == [("a/b/c.parquet", 5), ("größe x", 0)]
    assert listing.directories == tuple(DirectoryEntry(path, 0o755, 0) for path in (".", "a", "a/b"))
    assert listing.links == ()


def test_an_empty_key_that_ends_in_a_slash_is_a_directory():
    listing = BucketSource(AnyKeyStore(("kept/empty/", 0), ("kept/x", 1), ("kept/", 0)), URL).listing()
    assert [file.path for file in listing.files] == ["kept/x"]
    assert [directory.path for directory in listing.directories] == [".", "kept", "kept/empty"]


def test_the_marker_of_the_prefix_itself_is_an_empty_tree():
    listing = BucketSource(AnyKeyStore(("", 0)), URL).listing()
    assert listing.files == ()
    assert [directory.path for directory in listing.directories] == ["."]


def test_an_empty_prefix_is_not_found():
    with pytest.raises(NotFound, match=r"no object.*s3://lake/reviews.*check the bucket and the prefix"):
        BucketSource(MemoryStore("source"), URL).listing()


@pytest.mark.parametrize(
    "key",
    ["a//b", "/a", "//", "/", "./a", "a/./b", "a/..", "../a", "..", "a/../", "d/", "x" * 256, "a/" + "é" * 128, "a\0b"],
)
def test_keys_that_cannot_become_files_are_named(key):
    store = AnyKeyStore((key, 0 if key != "d/" else 7))
    store.create("fine", b"1")
    with pytest.raises(SourceUnstable, match=r"cannot become files \(1\)") as caught:
        BucketSource(store, URL).listing()
    assert repr(key) in str(caught.value)


@pytest.mark.parametrize("below", [("a/b", 1), ("a/", 0), ("a/b/c/d", 1)])
def test_an_object_of_the_name_of_a_directory_is_named(below):
    store = AnyKeyStore(("a", 1), below)
    with pytest.raises(SourceUnstable, match=r"\(1\): 'a' and keys below it"):
        BucketSource(store, URL).listing()


def test_ranges_are_exact():
    store = AnyKeyStore()
    store.create("f", b"0123456789")
    source = BucketSource(store, URL)
    (file,) = source.listing().files
    assert source.read(file, 2, 5) == b"23456"
    assert source.read(file, 10, 0) == b""


def test_an_object_that_is_gone_or_shorter_has_moved():
    store = AnyKeyStore(("gone", 4))
    store.create("short", b"123")
    source = BucketSource(store, URL)
    gone, short = source.listing().files
    for file in (gone, short):
        with pytest.raises(SourceUnstable, match=f"'{file.path}' cannot be read as it was listed.*back up again"):
            source.read(file, 0, 4)


def test_no_bytes_are_asked_of_no_store():
    source = BucketSource(AnyKeyStore(("gone", 0)), URL)
    assert source.read(source.listing().files[0], 0, 0) == b""


def test_an_object_overwritten_with_as_many_bytes_shows_in_the_next_listing():
    before, after = MemoryStore(clock=lambda: CHANGED), MemoryStore(clock=lambda: CHANGED)
    before.create("f", b"old")
    after.create("f", b"new")
    assert changes(BucketSource(before, URL).listing(), BucketSource(after, URL).listing()) == ("changed 'f'",)
