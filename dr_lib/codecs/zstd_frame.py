"""Bytes to one Zstandard frame (RFC 8878) and back, also as the entropy coder of planes.

zstandard releases the GIL while it works, so threads encode and decode on all cores.
"""

from __future__ import annotations

import threading
from typing import Final

import zstandard

from dr_lib.codecs.codec import exactly
from dr_lib.codecs.sample import sample
from dr_lib.errors import IntegrityError

MATCHING: Final = zstandard.ZstdCompressionParameters.from_level(3)
"""For bytes in which strings repeat."""
ENTROPY: Final = zstandard.ZstdCompressionParameters(
    strategy=zstandard.STRATEGY_FAST, window_log=20, hash_log=6, chain_log=6, search_log=1, min_match=7, target_length=0
)
"""For symbols that are drawn independently, as exponents are: hardly any search for matches, which would be chance ones
that cost more than the Huffman codes they replace and most of the time. `target_length` 0 keeps Huffman codes on."""


HOPELESS: Final = 0.998
"""Share of a sample from which on the whole is not worth the time."""


class _Contexts(threading.local):
    """Contexts of one thread: they may not be shared, and to make one costs more than to compress a small file."""

    def __init__(self) -> None:
        self.compressors = [zstandard.ZstdCompressor(compression_params=wanted) for wanted in (ENTROPY, MATCHING)]
        self.decompressor = zstandard.ZstdDecompressor()


_contexts = _Contexts()


def compress(raw: bytes) -> bytes:
    """One frame with content size; of the two ways to make it, the one that does better on a sample of `raw`."""
    part = sample(raw)
    frame, parameters = _better(part)
    return frame if len(part) == len(raw) else _frame(raw, parameters)


def compress_matching(raw: bytes) -> bytes:
    """One frame with content size, made the way that suits bytes in which strings repeat."""
    return _frame(raw, MATCHING)


def decompress(stored: bytes | memoryview, length: int) -> bytes:
    """The `length` bytes of the one frame that `stored` is; `IntegrityError` otherwise.

    The declared content size is compared before anything is allocated.
    """
    try:
        if zstandard.frame_content_size(stored) != length:
            raise IntegrityError("a zstd frame declares another length than its manifest")
        return exactly(_contexts.decompressor.decompress(stored, allow_extra_data=False), length)
    except zstandard.ZstdError as error:
        raise IntegrityError(f"a zstd frame does not decode: {error}") from error


def shrink(raw: bytes | memoryview) -> bytes | memoryview:
    """A frame if that is shorter than `raw`, else `raw`: the two are told apart by the length alone.

    Where a sample hardly shrinks, as mantissas do not, the whole is not tried.
    """
    part = sample(raw)
    frame, parameters = _better(part)
    if len(part) < len(raw):
        if len(frame) > len(part) * HOPELESS:
            return raw
        frame = _frame(raw, parameters)
    return frame if len(frame) < len(raw) else raw


def expand(stored: memoryview, length: int) -> bytes | memoryview:
    """What `shrink` was given, `length` bytes of it; `IntegrityError` for anything else."""
    return stored if len(stored) == length else decompress(stored, length)


def _better(part: bytes | memoryview) -> tuple[bytes, zstandard.ZstdCompressionParameters]:
    """The shorter of the two frames, and how it was made."""
    by_entropy, by_matching = _frame(part, ENTROPY), _frame(part, MATCHING)
    return (by_matching, MATCHING) if len(by_matching) < len(by_entropy) else (by_entropy, ENTROPY)


def _frame(raw: bytes | memoryview, parameters: zstandard.ZstdCompressionParameters) -> bytes:
    return _contexts.compressors[parameters is MATCHING].compress(raw)
