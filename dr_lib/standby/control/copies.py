"""Copies of a restored tree that cost next to nothing: links to every file but those that are written anew."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def empty_folder() -> Iterator[Path]:
    """A directory for one copy below the present one, which the standby lets us write to; removed with its content."""
    with tempfile.TemporaryDirectory(prefix="copy-", dir=Path.cwd(), ignore_cleanup_errors=True) as name:
        yield Path(name) / "copy"


def link_all(source: Path, copy: Path, but: Collection[str] = ()) -> None:
    """Make `copy` a tree like `source`, of links to its files; those of the relative paths `but` are left out."""
    source = source.absolute()
    copy.mkdir()
    for folder, folders, files in os.walk(source):
        there = copy / Path(folder).relative_to(source)
        for name in folders:
            path = Path(folder, name)
            if path.is_symlink():
                (there / name).symlink_to(path.resolve())
            else:
                (there / name).mkdir()
        for name in files:
            path = Path(folder, name)
            if path.relative_to(source).as_posix() not in but:
                (there / name).symlink_to(path)
