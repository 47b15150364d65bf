"""Where a file is cut into frames: at the boundaries that its format has, else where its content says.

Cuts at tensors, members and row groups make what did not change the same frames in the next version, wherever it
moved to. The formats are told by their bytes, not their names: the blobs of a model cache have none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from dr_lib.sources.base import FileCut, ReadRange, TensorSpan
from dr_lib.sources.cutting import chunking, gguf, npy, parquet, tar_archive, zip_archive
from dr_lib.sources.cutting.spans import ALONE_BYTES, FRAME_BYTES, Block, OddBytes, fixed, of_blocks
from dr_lib.sources.safetensors_header import NotSafetensors, is_packed, parse

__all__ = ["ALONE_BYTES", "FRAME_BYTES", "cut_file"]

_Cutter = Callable[[ReadRange, int], FileCut]
_BY_MAGIC: Final[tuple[tuple[bytes, _Cutter], ...]] = (
    (zip_archive.MAGIC, zip_archive.cut),
    (gguf.MAGIC, gguf.cut),
    (parquet.MAGIC, parquet.cut),
    (npy.MAGIC, npy.cut),
)

_log = logging.getLogger(__name__)


def cut_file(path: str, read: ReadRange, size: int) -> FileCut:
    """Cut the file of `size` bytes behind `read`; raises only what `read` raises.

    A file that is named `.safetensors`, or is of at least 1 MiB, is cut at its tensors when its header is valid. One
    that is named so and is not valid is cut like any other, with a warning. Any other file below 1 MiB is not even
    opened and is one span. Bytes that are odd for their format are cut by their content.
    Deterministic in the arguments and the file's bytes.
    """
    named = path.lower().endswith(".safetensors")
    if named or size >= ALONE_BYTES:
        try:
            return _at_tensors(parse(read, size), size)
        except NotSafetensors as reason:
            if named:
                _log.warning("%r is no valid safetensors file and is kept without its tensors: %s", path, reason)
    return _cut_any(read, size) if size >= ALONE_BYTES else FileCut(tuple(fixed(0, size)), ())


def _cut_any(read: ReadRange, size: int) -> FileCut:
    cutter = _cutter(read(0, tar_archive.BLOCK))
    try:
        return cutter(read, size)
    except OddBytes as reason:
        _log.debug("a file is kept as opaque bytes: %s", reason)
        return chunking.cut(read, size)


def _cutter(head: bytes) -> _Cutter:
    if tar_archive.is_tar(head):
        return tar_archive.cut
    return next((cutter for magic, cutter in _BY_MAGIC if head.startswith(magic)), chunking.cut)


def _at_tensors(tensors: tuple[TensorSpan, ...], size: int) -> FileCut:
    header_end = tensors[0].offset if tensors else size
    blocks = [
        Block(tensor.offset, tensor.offset + tensor.length, None if is_packed(tensor.dtype) else tensor.dtype)
        for tensor in tensors
        if tensor.length
    ]
    return FileCut((*fixed(0, header_end), *of_blocks(blocks)), tensors)
