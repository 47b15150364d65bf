"""What kind of bytes a file holds, told by its first and last ones: so that a file which loses its kind is noticed."""

from __future__ import annotations

from typing import Final

HEAD: Final = 512
TAIL: Final = 8
"""Bytes of a file's start and end that are looked at."""
SAFETENSORS: Final = "safetensors"
PARQUET: Final = "parquet"
TEXT: Final = "text"
_MAGIC: Final = (
    (b"PK\x03\x04", "zip"),
    (b"GGUF", "gguf"),
    (b"\x93NUMPY", "npy"),
    (b"ARROW1", "arrow"),
    (b"Obj\x01", "avro"),
    (b"ORC", "orc"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x89PNG\r\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"%PDF-", "pdf"),
    (b"\xff\xfe", TEXT),  # UTF-16 says so at its start
    (b"\xfe\xff", TEXT),
    *((bytes((0x80, version)), "pickle") for version in range(2, 6)),
)
_TAR_AT: Final = 257
_CONTROL: Final = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))


def form_of(head: bytes, tail: bytes, *, has_tensors: bool = False) -> str:
    """The name of a kind, empty for bytes of none that is known; an empty file is text.

    `head` are the first `HEAD` bytes or all there are, `tail` the last `TAIL`. A parquet file without its end is of no
    kind; one that begins like safetensors is of that kind when its tensors were found (`has_tensors`).
    """
    if head[8:9] == b"{" and has_tensors:
        return SAFETENSORS
    if head.startswith(b"PAR1"):
        return PARQUET if tail.endswith(b"PAR1") else ""
    if head[_TAR_AT:].startswith(b"ustar"):
        return "tar"
    found = next((form for magic, form in _MAGIC if head.startswith(magic)), None)
    return found or (TEXT if _is_text(head) else "")


def _is_text(head: bytes) -> bool:
    """UTF-8 without control characters; the last character may be cut."""
    if head.translate(None, _CONTROL) != head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and error.start >= len(head) - 3
    return True
