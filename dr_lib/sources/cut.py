"""Where a file is cut into frames: at the boundaries that its format has, else where its content says.

Cuts at tensors, members and row groups make what did not change the same frames in the next version, wherever it
moved to. The formats are told by their bytes, not their names: the blobs of a model cache have none.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from dr_lib.sources.base import FileCut, ReadRange, TensorSpan
from dr_lib.sources.cutting import chunking, gguf, npy, parquet, tar_archive, zip_archive
from dr_lib.sources.cutting.spans import ALONE_BYTES, FRAME_BYTES, Block, OddBytes, fixed, of_blocks
from dr_lib.sources.safetensors_header import NotSafetensors, is_packed, parse

__all__ = ["ALONE_BYTES", "FRAME_BYTES", "cut_file", "divisions"]

_Cutter = Callable[[ReadRange, int], FileCut]
_BY_MAGIC: Final[tuple[tuple[bytes, _Cutter], ...]] = (
    (zip_archive.MAGIC, zip_archive.cut),
    (gguf.MAGIC, gguf.cut),
    (parquet.MAGIC, parquet.cut),
    (npy.MAGIC, npy.cut),
)

_log = logging.getLogger(__name__)


def cut_file(path: str, read: ReadRange, size: int, part: tuple[int, int] | None = None) -> FileCut:
    """Cut the file of `size` bytes behind `read`; raises only what `read` raises.

    A file that is named `.safetensors`, or is of at least 1 MiB, is cut at its tensors when its header is valid. One
    that is named so and is not valid is cut like any other, with a warning. Any other file below 1 MiB is not even
    opened and is one span. Bytes that are odd for their format are cut by their content.
    Deterministic in the arguments and the file's bytes. With `part`, start and end out of `divisions`, spans and
    tensors outside of it may be missing, and an opaque file is read there alone.
    """
    found = _by_format(path, read, size)
    return chunking.cut(read, size, *(part or (0, size))) if found is None else found


def divisions(path: str, read: ReadRange, size: int) -> Iterator[int]:
    """Offsets at which a file may be divided among workers, ascending: between frames, and never inside a tensor.

    Reads a long opaque file in windows only. Raises what `read` raises.
    """
    found = _by_format(path, read, size)
    if found is None and size > chunking.CHUNKED_BYTES:
        yield from chunking.segment_starts(read, size)
        return
    cut = found or chunking.cut(read, size)
    tensors = deque(cut.tensors)
    tensor_end = 0
    for span in cut.spans[1:]:
        while tensors and tensors[0].offset < span.offset:
            tensor = tensors.popleft()
            tensor_end = max(tensor_end, tensor.offset + tensor.length)
        if tensor_end <= span.offset:
            yield span.offset


def is_one_span(path: str, size: int) -> bool:
    """True for a file that is one span whatever its bytes are, and so need not be read before it is read."""
    return size < ALONE_BYTES and not _is_named(path)


def _is_named(path: str) -> bool:
    return path.lower().endswith(".safetensors")


def _by_format(path: str, read: ReadRange, size: int) -> FileCut | None:
    """None for bytes that are to be cut by their content."""
    named = _is_named(path)
    if named or size >= ALONE_BYTES:
        try:
            return _at_tensors(parse(read, size), size)
        except NotSafetensors as reason:
            if named:
                _log.warning("%r is no valid safetensors file and is kept without its tensors: %s", path, reason)
    return _by_magic(read, size) if size >= ALONE_BYTES else FileCut(tuple(fixed(0, size)), ())


def _by_magic(read: ReadRange, size: int) -> FileCut | None:
    cutter = _cutter(read(0, tar_archive.BLOCK))
    try:
        return cutter(read, size) if cutter else None
    except OddBytes as reason:
        _log.debug("a file is kept as opaque bytes: %s", reason)
        return None


def _cutter(head: bytes) -> _Cutter | None:
    if tar_archive.is_tar(head):
        return tar_archive.cut
    return next((cutter for magic, cutter in _BY_MAGIC if head.startswith(magic)), None)


def _at_tensors(tensors: tuple[TensorSpan, ...], size: int) -> FileCut:
    header_end = tensors[0].offset if tensors else size
    blocks = [
        Block(tensor.offset, tensor.offset + tensor.length, None if is_packed(tensor.dtype) else tensor.dtype)
        for tensor in tensors
        if tensor.length
    ]
    return FileCut((*fixed(0, header_end), *of_blocks(blocks)), tensors)
