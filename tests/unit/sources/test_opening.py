"""The scheme of an asset's URL decides who reads it."""

from __future__ import annotations

import pytest

from dr_lib.errors import UsageError
from dr_lib.model.region import StoreRef
from dr_lib.sources.bucket import BucketSource
from dr_lib.sources.directory import DirectorySource
from dr_lib.sources.opening import open_source
from dr_lib.storage.memory import MemoryStore


def no_store(ref: StoreRef, label: str) -> MemoryStore:
    raise AssertionError(f"{ref} is a directory, not the store {label}")


@pytest.mark.parametrize("name", ["plain", "two words", "50%", "a%20b", "what?", "c#", "größe", "a+b"])
def test_a_directory_opens_by_its_url_and_by_its_path(tmp_path, name):
    root = tmp_path / name
    root.mkdir()
    (root / "inside").touch()
    for url in (root.as_uri(), root.as_uri().replace("file://", "file://localhost"), str(root)):
        source = open_source(StoreRef(url), open_store=no_store)
        assert isinstance(source, DirectorySource)
        assert [file.path for file in source.listing().files] == ["inside"]


def test_a_question_mark_and_a_hash_are_ordinary_characters_of_a_file_url(tmp_path):
    (tmp_path / "why? #1").mkdir()
    source = open_source(StoreRef(f"file://{tmp_path}/why? #1"), open_store=no_store)
    assert [directory.path for directory in source.listing().directories] == ["."]


def test_bytes_that_are_not_utf8_are_decoded(tmp_path):
    root = tmp_path / "\udcff"
    root.mkdir()
    assert "%FF" in root.as_uri()
    assert open_source(StoreRef(root.as_uri()), open_store=no_store).listing().files == ()


@pytest.mark.parametrize("url", ["s3://lake/reviews/", "rclone:archive:models/minilm"])
def test_an_object_store_is_opened_with_the_reference_and_a_label(url):
    asked = []
    store = MemoryStore()
    store.create("k", b"v")

    def open_store(ref: StoreRef, label: str) -> MemoryStore:
        asked.append((ref, label))
        return store

    ref = StoreRef(url, endpoint="http://127.0.0.1:1", credentials="env:SOURCE")
    source = open_source(ref, open_store=open_store)
    assert isinstance(source, BucketSource)
    assert asked == [(ref, f"source {url}")]
    assert source.url == url
    assert source.read(source.listing().files[0], 0, 1) == b"v"


@pytest.mark.parametrize("url", ["relative/dir", "", "~/models", "gs://bucket/x", "http://host/x"])
def test_anything_else_is_refused_with_what_would_be_right(url):
    with pytest.raises(UsageError, match=r"no source that can be opened.*file:///absolute/path.*s3:// or rclone:"):
        open_source(StoreRef(url), open_store=no_store)


@pytest.mark.parametrize("url", ["file://nas/models", "file://", "file://models"])
def test_a_file_url_of_another_machine_is_refused(url):
    with pytest.raises(UsageError, match="three slashes"):
        open_source(StoreRef(url), open_store=no_store)
