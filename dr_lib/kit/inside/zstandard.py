"""The two calls of zstandard that the reader makes, over `backports.zstd`, whose wheels are a tenth of the size.

Since Python 3.14 that is part of Python itself.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

_zstd: Any = import_module("backports.zstd" if sys.version_info < (3, 14) else "compression.zstd")


def frame_content_size(data: bytes) -> int:
    """Bytes that a frame declares to hold; -1 where it does not say."""
    size = _zstd.get_frame_info(data).decompressed_size
    return -1 if size is None else int(size)


class ZstdDecompressor:
    """Decodes single frames."""

    def decompress(self, data: bytes, *, allow_extra_data: bool) -> bytes:
        """All of one frame; `ValueError` where it is cut short, or where anything stands behind it."""
        decoder = _zstd.ZstdDecompressor()
        found = bytes(decoder.decompress(data))
        if not decoder.eof or (decoder.unused_data and not allow_extra_data):
            raise ValueError("not one whole zstd frame")
        return found
