"""A local directory with a source's files, for programs that read nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dr_lib.sources.base import Source, SourceFile, SourceListing
from dr_lib.sources.directory import DirectorySource

READ_BYTES: Final = 8 << 20


@contextmanager
def local_directory(source: Source, listing: SourceListing) -> Iterator[Path]:
    """The source's own directory where it has one; else a temporary copy of `listing`, removed at the end.

    Raises what the source raises, `SourceUnstable` when a file is not the one that was listed.
    """
    if isinstance(source, DirectorySource):
        yield source.root
        return
    with tempfile.TemporaryDirectory(prefix="dr-source-") as folder:
        root = Path(folder)
        for directory in listing.directories:
            (root / directory.path).mkdir(parents=True, exist_ok=True)
        for file in listing.files:
            _copy(source, file, root / file.path)
        yield root


def _copy(source: Source, file: SourceFile, target: Path) -> None:
    with target.open("xb") as handle:
        for at in range(0, file.size, READ_BYTES):
            handle.write(source.read(file, at, min(READ_BYTES, file.size - at)))
