"""Trees and files for the tests of the sources."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

NOBODY = 65534

ODD_NAMES = [
    "größe-模型.bin",
    "two words",
    "-rf",
    "--to",
    "line\nbreak",
    "tab\there",
    "back\\slash",
    ".hidden",
    "…",
    "quote'\"",
    os.fsdecode(b"not-utf8-\xff\xfe"),
]


@contextlib.contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Root passes every permission check, so it steps down meanwhile; others are ordinary already."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def tree_for_all() -> Iterator[Path]:
    """A directory that every user may enter, as the tests' own are not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        root = Path(name)
        root.chmod(0o755)
        yield root


def rewrite_in_place(path: Path, data: bytes) -> None:
    """Write `data` and put the modification time back, until the kernel's clock ticked and the change time shows it."""
    before = path.stat()
    while path.stat().st_ctime_ns == before.st_ctime_ns:
        path.write_bytes(data)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def safetensors_file(header: object, data: bytes = b"") -> bytes:
    """A file with this header (JSON-ready, or raw bytes) before `data`, valid or not."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(raw).to_bytes(8, "little") + raw + data


def tensor(dtype: str, shape: list[int], begin: int, end: int) -> dict[str, object]:
    """One tensor's facts as they stand in a header."""
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
