"""Secrets on disk: their owner alone reads them, and they are there whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from dr_lib.errors import AlreadyExists, OutOfSpace, PermissionDenied, Refused
from dr_lib.workflows.keys import private_directory
from dr_lib.workflows.keys.private_directory import create_directory, create_file
from tests.faults.dying import DONE, dies_before

FILES = {"a.key": "secret\n", "b.key": "other é\n"}


def modes(path: Path) -> list[str]:
    return [oct(one.stat().st_mode & 0o777) for one in (path, *sorted(path.iterdir()))]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_the_owner_reads_them_whatever_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        create_directory(tmp_path / "new" / "keys", FILES)
        create_file(tmp_path / "one.key", "secret\n")
    finally:
        os.umask(before)
    assert modes(tmp_path / "new" / "keys") == ["0o700", "0o600", "0o600"]
    assert oct((tmp_path / "one.key").stat().st_mode & 0o777) == "0o600"
    assert {path.name: path.read_text() for path in (tmp_path / "new" / "keys").iterdir()} == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "one.key"]


def _directory(path: Path) -> None:
    path.mkdir()


def _full_directory(path: Path) -> None:
    path.mkdir()
    (path / "x").touch()


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("occupy", [Path.touch, _directory, _full_directory, _dangling])
@pytest.mark.parametrize("create", [lambda path: create_directory(path, FILES), lambda path: create_file(path, "x")])
def test_what_is_there_is_refused_and_not_touched(tmp_path, occupy, create):
    place = tmp_path / "keys"
    occupy(place)
    before = place.lstat()
    with pytest.raises(AlreadyExists) as caught:
        create(place)
    assert caught.value.exit_code == 7
    assert place.lstat() == before
    assert list(tmp_path.iterdir()) == [place]


def test_what_appears_meanwhile_is_not_replaced(tmp_path, monkeypatch):
    def late(path: Path, text: str) -> None:
        if not (tmp_path / "keys").exists():
            _full_directory(tmp_path / "keys")
        write(path, text)

    write = private_directory._write
    monkeypatch.setattr(private_directory, "_write", late)
    with pytest.raises(AlreadyExists):
        create_directory(tmp_path / "keys", FILES)
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["x"]
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, OutOfSpace), (errno.EACCES, PermissionDenied), (errno.EIO, Refused)]
)
def test_a_disk_that_fails_leaves_nothing_and_says_why(tmp_path, monkeypatch, number, kind):
    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(private_directory.os, "fsync", fail)
    for work in (lambda: create_directory(tmp_path / "keys", FILES), lambda: create_file(tmp_path / "key", "x")):
        with pytest.raises(kind, match=os.strerror(number)):
            work()
    assert list(tmp_path.iterdir()) == []


def test_killed_at_any_step_there_are_all_files_or_none(tmp_path):
    deaths = 0
    for step in range(1, 20):
        place = tmp_path / str(step) / "keys"
        place.parent.mkdir()
        outcome = dies_before(step, lambda place=place: create_directory(place, FILES))
        found = {path.name: path.read_text() for path in place.iterdir()} if place.exists() else None
        assert found in (None, FILES)
        if outcome == DONE:
            assert found == FILES
            break
        deaths += 1
    assert deaths >= 3
