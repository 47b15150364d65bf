"""Files that only their owner may read, in a directory that is there whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from dr_lib.errors import AlreadyExists, DrError, OutOfSpace, PermissionDenied, Refused


def create_directory(directory: Path, files: Mapping[str, str]) -> None:
    """Make `directory` (0700) with `files` (0600) in it, durable on return; missing parents are made.

    `AlreadyExists` (7) when anything is there, which is not touched. Atomic: killed before the end, it may leave a
    hidden private directory `.NAME.…` beside it, never a part of it.
    """
    if os.path.lexists(directory):
        raise _taken(directory)
    made = directory.parent / f".{directory.name}.{secrets.token_hex(4)}"
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        made.mkdir(mode=0o700)
        for name, text in files.items():
            _write(made / name, text)
        _sync(made)
        made.rename(directory)
        _sync(directory.parent)
    except OSError as error:
        raise _translated(error, directory) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def create_file(path: Path, text: str) -> None:
    """Make a file (0600), durable on return; `AlreadyExists` (7) when anything is there. Atomic."""
    made = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    try:
        _write(made, text)
        os.link(made, path, follow_symlinks=False)
        _sync(path.parent)
    except OSError as error:
        raise _translated(error, path) from error
    finally:
        made.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _translated(error: OSError, path: Path) -> DrError:
    if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
        return _taken(path)
    said, where = error.strerror or str(error), str(path)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutOfSpace(said, where=where, hint="free some space and run it again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return PermissionDenied(said, where=where, hint="choose a place that you may write to")
    return Refused(f"nothing can be made there ({said})", where=where, hint="choose another place")


def _taken(path: Path) -> AlreadyExists:
    return AlreadyExists(
        "something is there already", where=str(path), hint="choose another name; keys are never replaced"
    )
