"""A directory is listed as it is and read exactly."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dr_lib.errors import NotFound, SourceUnstable, UsageError
from dr_lib.model.manifest import DirectoryEntry, LinkEntry
from dr_lib.sources.base import SourceFile
from dr_lib.sources.directory import DirectorySource
from tests.unit.sources.trees import ODD_NAMES, rewrite_in_place


def only_file(source: DirectorySource) -> SourceFile:
    (file,) = source.listing().files
    return file


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_every_kind_of_entry_is_listed_with_its_facts(tmp_path):
    model = tmp_path / "deep" / "model.bin"
    model.parent.mkdir()
    model.write_bytes(b"12345")
    model.chmod(0o640)
    os.utime(model, ns=(1, 1_700_000_000_123_456_789))
    (tmp_path / "empty").mkdir(mode=0o750)
    (tmp_path / "nothing").touch()
    (tmp_path / "current").symlink_to("deep/model.bin")

    listing = DirectorySource(tmp_path).listing()

    facts = model.stat()
    expected = SourceFile("deep/model.bin", 0o640, 1_700_000_000_123_456_789, 5, f"{facts.st_ino}:{facts.st_ctime_ns}")
    assert listing.files[0] == expected
    assert [(file.path, file.size) for file in listing.files[1:]] == [("nothing", 0)]
    assert [directory.path for directory in listing.directories] == [".", "deep", "empty"]
    empty = tmp_path / "empty"
    assert listing.directories[2] == DirectoryEntry("empty", 0o750, empty.stat().st_mtime_ns)
    assert listing.links == (LinkEntry("current", "deep/model.bin", (tmp_path / "current").lstat().st_mtime_ns),)


def test_an_empty_directory_is_a_source_of_nothing_but_itself(tmp_path):
    listing = DirectorySource(tmp_path).listing()
    assert listing.files == listing.links == ()
    assert [directory.path for directory in listing.directories] == ["."]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_of_files_directories_and_targets_come_through(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / name).write_bytes(b"odd")
    (tmp_path / "link").symlink_to(f"{name}/{name}")
    source = DirectorySource(tmp_path)
    listing = source.listing()
    assert [file.path for file in listing.files] == [f"{name}/{name}"]
    assert {directory.path for directory in listing.directories} == {".", name}
    assert [link.target for link in listing.links] == [f"{name}/{name}"]
    assert source.read(listing.files[0], 0, 3) == b"odd"


def test_each_tuple_is_sorted_by_path(tmp_path):
    for name in ("b", "a", "a-b", "a.b", "Z"):
        (tmp_path / f"d{name}").mkdir()
        (tmp_path / f"d{name}" / "x").touch()
        (tmp_path / f"l{name}").symlink_to("da")
    listing = DirectorySource(tmp_path).listing()
    for entries in (listing.files, listing.directories, listing.links):
        paths = [entry.path for entry in entries]
        assert len(paths) >= 5
        assert paths == sorted(paths)


def test_permissions_and_the_sticky_bit_are_kept_setuid_and_setgid_are_not(tmp_path):
    (tmp_path / "tool").touch()
    (tmp_path / "tool").chmod(0o6755)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o3777)
    listing = DirectorySource(tmp_path).listing()
    assert listing.files[0].mode == 0o755
    assert listing.directories[1].mode == 0o1777


def test_the_root_may_be_a_link(tmp_path):
    (tmp_path / "v3").mkdir()
    (tmp_path / "v3" / "w").write_bytes(b"w3")
    (tmp_path / "current").symlink_to("v3")
    source = DirectorySource(tmp_path / "current")
    assert source.read(only_file(source), 0, 2) == b"w3"


def test_the_url_is_percent_encoded():
    assert DirectorySource(Path("/models/two words/50%")).url == "file:///models/two%20words/50%25"


def test_a_missing_root_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="does not exist"):
        DirectorySource(tmp_path / "gone").listing()


def test_a_root_that_is_a_file_is_a_mistake_in_the_configuration(tmp_path):
    (tmp_path / "model.bin").touch()
    with pytest.raises(UsageError, match=r"no directory.*name the directory"):
        DirectorySource(tmp_path / "model.bin").listing()


def test_ranges_are_exact_from_many_threads(tmp_path):
    content = os.urandom(1 << 20)
    (tmp_path / "f").write_bytes(content)
    source = DirectorySource(tmp_path)
    file = only_file(source)
    ranges = [(offset, min(70_001, len(content) - offset)) for offset in range(0, len(content), 65_536)]
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda span: source.read(file, *span), ranges))
    assert read == [content[offset : offset + length] for offset, length in ranges]
    assert source.read(file, len(content), 0) == b""


def test_a_sparse_file_reads_as_zeros(tmp_path):
    with (tmp_path / "sparse").open("wb") as out:
        out.truncate(64 << 20)
        out.seek(-1, os.SEEK_END)
        out.write(b"x")
    source = DirectorySource(tmp_path)
    file = only_file(source)
    assert file.size == 64 << 20
    assert source.read(file, file.size - 5, 5) == b"\0\0\0\0x"
    assert source.read(file, 0, 4096) == bytes(4096)


def test_no_descriptor_is_left_open(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f").write_bytes(b"f")
    source = DirectorySource(tmp_path)
    file = only_file(source)
    before = descriptors()
    for _ in range(5):
        source.read(file, 0, 1)
        with pytest.raises(SourceUnstable):
            source.read(SourceFile("a/none", 0o644, 0, 1, ""), 0, 1)
    assert descriptors() == before


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "deep" / "weights"
    path.parent.mkdir()
    path.write_bytes(b"old bytes")
    return path


def refused(source: DirectorySource, file: SourceFile) -> None:
    with pytest.raises(SourceUnstable, match="'deep/weights' cannot be read as it was listed"):
        source.read(file, 0, 9)


def test_a_file_rewritten_with_its_old_size_and_time_is_refused(tmp_path, weights):
    source = DirectorySource(tmp_path)
    file = only_file(source)
    rewrite_in_place(weights, b"new bytes")
    refused(source, file)


def test_a_file_replaced_truncated_or_removed_is_refused(tmp_path, weights):
    source = DirectorySource(tmp_path)
    file = only_file(source)
    other = tmp_path / "other"
    other.write_bytes(b"old bytes")
    os.utime(other, ns=(file.mtime_ns, file.mtime_ns))
    other.rename(weights)
    refused(source, file)
    weights.write_bytes(b"old")
    refused(source, file)
    weights.unlink()
    refused(source, file)


def test_a_write_in_the_middle_of_a_read_is_refused(tmp_path, weights, monkeypatch):
    source = DirectorySource(tmp_path)
    file = only_file(source)
    pread = os.pread

    def pread_then_write(handle: int, length: int, offset: int) -> bytes:
        part = pread(handle, min(length, 4), offset)
        rewrite_in_place(weights, b"new bytes")
        return part

    monkeypatch.setattr(os, "pread", pread_then_write)
    refused(source, file)


def test_a_short_read_is_continued(tmp_path, weights, monkeypatch):
    source = DirectorySource(tmp_path)
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda handle, length, offset: pread(handle, min(length, 4), offset))
    assert source.read(only_file(source), 1, 8) == b"ld bytes"


def test_a_directory_swapped_for_a_link_to_itself_elsewhere_is_not_followed(tmp_path, weights):
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    weights.parent.rename(root / "deep")
    source = DirectorySource(root)
    file = only_file(source)
    (root / "deep").rename(outside)
    (root / "deep").symlink_to(outside)
    refused(source, file)


def test_a_file_swapped_for_a_link_or_a_fifo_is_refused_at_once(tmp_path, weights):
    source = DirectorySource(tmp_path)
    file = only_file(source)
    weights.rename(tmp_path / "kept")
    weights.symlink_to("../kept")
    refused(source, file)
    weights.unlink()
    os.mkfifo(weights)
    refused(source, file)


def test_bytes_past_the_end_are_refused(tmp_path, weights):
    source = DirectorySource(tmp_path)
    file = only_file(source)
    with pytest.raises(SourceUnstable, match="ends before byte 10"):
        source.read(file, 3, 7)


def test_a_source_that_is_gone_as_a_whole_is_refused(tmp_path, weights):
    source = DirectorySource(weights.parent)
    file = only_file(source)
    shutil.rmtree(weights.parent)
    with pytest.raises(SourceUnstable, match="No such file"):
        source.read(file, 0, 9)
