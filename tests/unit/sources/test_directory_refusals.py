"""What no backup can hold, or this user may not read, is refused by name before anything is read."""

from __future__ import annotations

import contextlib
import os
import stat

import pytest

from dr_lib.errors import SourceUnstable
from dr_lib.sources.directory import DirectorySource
from tests.unit.sources.trees import as_ordinary_user, tree_for_all


@pytest.mark.parametrize("target", ["/etc/passwd", "../x", "a/../../x", "../../../../etc", "a/b/../../../root/a"])
def test_a_link_that_leads_outside_is_named_with_the_fix(tmp_path, target):
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "sly").symlink_to(target)
    with pytest.raises(SourceUnstable, match=r"'sly' -> .*copy the files in, or link to them inside the tree"):
        DirectorySource(root).listing()


def test_an_absolute_link_into_the_tree_is_refused_since_a_restored_tree_lies_elsewhere(tmp_path):
    (tmp_path / "w").touch()
    (tmp_path / "abs").symlink_to(tmp_path / "w")
    with pytest.raises(SourceUnstable, match="'abs'"):
        DirectorySource(tmp_path).listing()


@pytest.mark.parametrize("target", ["gone", "a/../gone", "../root-link/gone", "a", ".", "../a/.."])
def test_links_inside_the_tree_are_fine_even_when_they_dangle(tmp_path, target):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "l").symlink_to(target)
    assert DirectorySource(tmp_path).listing().links[0].target == target


def test_links_that_loop_are_fine(tmp_path):
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    assert len(DirectorySource(tmp_path).listing().links) == 2


def test_a_linked_directory_is_not_entered(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").touch()
    (tmp_path / "l").symlink_to("d")
    assert [file.path for file in DirectorySource(tmp_path).listing().files] == ["d/f"]


@pytest.mark.parametrize(("kind", "word"), [(stat.S_IFSOCK, "socket"), (stat.S_IFIFO, "fifo")])
def test_special_files_are_named(tmp_path, kind, word):
    os.mknod(tmp_path / "odd one", kind | 0o600)
    with pytest.raises(SourceUnstable, match=f"'odd one' is a {word}.*move them out"):
        DirectorySource(tmp_path).listing()


def test_the_first_five_of_many_are_named_and_all_are_counted(tmp_path):
    for number in range(7):
        (tmp_path / f"out{number}").symlink_to("/etc")
    with pytest.raises(SourceUnstable, match=r"\(7\): 'out0'.*'out4' -> '/etc' and 2 more") as caught:
        DirectorySource(tmp_path).listing()
    assert "out5" not in str(caught.value)


def test_a_file_that_may_not_be_read_is_named_with_its_permission():
    with tree_for_all() as root:
        (root / "secret").touch(mode=0o600 if os.geteuid() == 0 else 0)
        with as_ordinary_user(), pytest.raises(SourceUnstable, match=r"'secret' cannot be read: mode 0[06]00, owner"):
            DirectorySource(root).listing()


def test_a_directory_that_may_not_be_listed_is_named_with_its_permission():
    with tree_for_all() as root:
        closed = root / "closed"
        closed.mkdir(mode=0o700 if os.geteuid() == 0 else 0)
        with as_ordinary_user(), pytest.raises(SourceUnstable, match="'closed' cannot be listed and entered: Perm"):
            DirectorySource(root).listing()
        closed.chmod(0o700)


def test_a_directory_that_may_be_listed_but_not_entered_is_named():
    with tree_for_all() as root:
        half = root / "half"
        half.mkdir()
        (half / "f").touch()
        half.chmod(0o744 if os.geteuid() == 0 else 0o444)
        with as_ordinary_user(), pytest.raises(SourceUnstable, match="'half' cannot be listed and entered: Perm"):
            DirectorySource(root).listing()
        half.chmod(0o700)


def test_a_file_that_vanishes_while_it_is_listed_is_refused(tmp_path, monkeypatch):
    (tmp_path / "brief").touch()
    scandir = os.scandir

    @contextlib.contextmanager
    def scandir_then_remove(path):
        with scandir(path) as entries:
            seen = list(entries)
        (tmp_path / "brief").unlink()
        yield iter(seen)

    monkeypatch.setattr(os, "scandir", scandir_then_remove)
    with pytest.raises(SourceUnstable, match="No such file"):
        DirectorySource(tmp_path).listing()
