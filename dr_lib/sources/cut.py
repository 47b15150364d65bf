"""Where a file is cut into frames: at tensor boundaries in safetensors, every 4 MiB elsewhere.

Cuts at tensor boundaries make an unchanged tensor the same frame in the next version, wherever it moved to.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from dr_lib.sources.base import FileCut, ReadRange, Span, TensorSpan
from dr_lib.sources.safetensors_header import NotSafetensors, is_packed, parse

FRAME_BYTES = 4 << 20
"""Greatest length of a span; a multiple of every whole-byte element, so that long tensors are cut between elements."""
ALONE_BYTES = 1 << 20
"""Tensors from this length on share no frame, and files from this length on are looked into whatever their name."""

_log = logging.getLogger(__name__)


def cut_file(path: str, read: ReadRange, size: int) -> FileCut:
    """Cut the file of `size` bytes behind `read`; raises only what `read` raises.

    A file that is named `.safetensors`, or is of at least 1 MiB (the blobs of a model cache have no suffix), is cut at
    its tensors when its header is valid. One that is named so and is not valid is cut like any other, with a warning.
    Deterministic in the arguments and the file's bytes.
    """
    named = path.lower().endswith(".safetensors")
    if named or size >= ALONE_BYTES:
        try:
            return _at_tensors(parse(read, size), size)
        except NotSafetensors as reason:
            if named:
                _log.warning("%r is no valid safetensors file and is kept without its tensors: %s", path, reason)
    return FileCut(tuple(_pieces(0, size, None)), ())


def _at_tensors(tensors: tuple[TensorSpan, ...], size: int) -> FileCut:
    header_end = tensors[0].offset if tensors else size
    spans = [*_pieces(0, header_end, None)]
    for run in _runs([tensor for tensor in tensors if tensor.length]):
        start, end = run[0].offset, run[-1].offset + run[-1].length
        spans += _pieces(start, end, None if is_packed(run[0].dtype) else run[0].dtype)
    return FileCut(tuple(spans), tensors)


def _runs(tensors: Sequence[TensorSpan]) -> Iterator[list[TensorSpan]]:
    """Tensors in file order, a long one alone, short neighbours of one dtype together up to one frame."""
    run: list[TensorSpan] = []
    for tensor in tensors:
        if run and not _fits(run, tensor):
            yield run
            run = []
        run.append(tensor)
    if run:
        yield run


def _fits(run: list[TensorSpan], tensor: TensorSpan) -> bool:
    short = max(run[-1].length, tensor.length) < ALONE_BYTES
    within = tensor.offset + tensor.length - run[0].offset <= FRAME_BYTES
    return short and within and tensor.dtype == run[0].dtype


def _pieces(start: int, end: int, dtype: str | None) -> Iterator[Span]:
    for offset in range(start, end, FRAME_BYTES):
        yield Span(offset, min(FRAME_BYTES, end - offset), dtype)
