"""Memory for tensors in torch: where streamed bytes go, on the CPU or another device."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Final

import torch

from dr_lib.errors import OutOfSpace, UsageError
from dr_lib.model.manifest import TensorEntry

DTYPES: Final = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "U16": torch.uint16,
    "I16": torch.int16,
    "U32": torch.uint32,
    "I32": torch.int32,
    "U64": torch.uint64,
    "I64": torch.int64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
    "C64": torch.complex64,
}
"""By safetensors name (https://github.com/huggingface/safetensors); elements of less than a byte are not there."""
STAGING: Final = 8 << 20
"""Bytes of one pinned buffer; there are two for each thread that copies."""


class TorchMemory:
    """A `Receiver` of tensors on a torch device.

    On the CPU bytes are copied into the tensor itself. For CUDA they pass through pinned buffers, two a thread: one is
    filled while the other's copy is under way on a stream of its own.
    """

    def __init__(self, device: str | torch.device) -> None:
        """`UsageError` when torch does not know or have the device."""
        try:
            self._device = torch.device(device)
            torch.empty(0, device=self._device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            raise UsageError(f"torch has no device {device!s}: {str(error).splitlines()[0]}") from error
        self._entries: tuple[TensorEntry, ...] = ()
        self._tensors: list[torch.Tensor] = []
        self._flat: list[torch.Tensor] = []
        self._lanes = threading.local()

    def begin(self, tensors: Sequence[TensorEntry]) -> None:
        """Allocate all of them; `UsageError` for a dtype that torch does not have, `OutOfSpace` without room."""
        unknown = sorted({t.dtype for t in tensors} - set(DTYPES))
        if unknown:
            example = next(t.name for t in tensors if t.dtype == unknown[0])
            hint = "leave it out with names=, or take the file with `drctl restore`"
            raise UsageError(f"torch has no dtype for {', '.join(unknown)} (as in {example!r})", hint=hint)
        self._entries = tuple(tensors)
        try:
            self._tensors = [torch.empty(t.shape, dtype=DTYPES[t.dtype], device=self._device) for t in tensors]
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            wanted = sum(t.length for t in tensors)
            what = f"{wanted:,} bytes of tensors do not fit the memory of {self._device}"
            raise OutOfSpace(what, hint="free some of it, or load fewer with names=") from error
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)  # what used this memory before has ended on every stream
        self._flat = [tensor.reshape(-1).view(torch.uint8) for tensor in self._tensors]

    def put(self, tensor: int, offset: int, data: memoryview) -> None:
        """See `Receiver.put`."""
        target = self._flat[tensor][offset : offset + len(data)]
        if self._device.type == "cpu":
            target.numpy()[:] = data
        else:
            self._lane().send(target, data)

    def bytes_of(self, tensor: int) -> Iterator[memoryview]:
        """See `Receiver.bytes_of`; from the device itself."""
        flat = self._flat[tensor]
        if self._device.type == "cpu":
            yield flat.numpy().data
            return
        yield from self._lane().receive(flat)

    def tensors(self) -> dict[str, torch.Tensor]:
        """All of them by name."""
        return {entry.name: tensor for entry, tensor in zip(self._entries, self._tensors, strict=True)}

    def _lane(self) -> _Lane:
        lane: _Lane | None = getattr(self._lanes, "lane", None)
        if lane is None:
            lane = self._lanes.lane = _Lane(self._device)
        return lane


class _Lane:
    """One thread's way to a device: two pinned buffers and, on CUDA, a stream. Complete when a call returns."""

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._buffers = [torch.empty(STAGING, dtype=torch.uint8, pin_memory=self._cuda) for _ in range(2)]
        self._stream = torch.cuda.Stream(device) if self._cuda else None  # type: ignore[no-untyped-call]
        self._events = [torch.cuda.Event() for _ in range(2)] if self._cuda else []  # type: ignore[no-untyped-call]

    def send(self, target: torch.Tensor, data: memoryview) -> None:
        """Copy `data` to `target`, piece by piece: one buffer is filled while the other one travels."""
        for number, start in enumerate(range(0, len(data), STAGING)):
            side = number % 2
            if self._events and number >= 2:
                self._events[side].synchronize()
            piece = data[start : start + STAGING]
            buffer = self._buffers[side][: len(piece)]
            buffer.numpy()[:] = piece
            self._copy(target[start : start + len(piece)], buffer)
            if self._stream is not None:
                self._events[side].record(self._stream)
        self._wait()

    def receive(self, source: torch.Tensor) -> Iterator[memoryview]:
        """The bytes of `source`, which every other lane has finished to write."""
        for start in range(0, len(source), STAGING):
            piece = source[start : start + STAGING]
            buffer = self._buffers[0][: len(piece)]
            self._copy(buffer, piece)
            self._wait()
            yield buffer.numpy().data

    def _copy(self, target: torch.Tensor, source: torch.Tensor) -> None:
        if self._stream is None:
            target.copy_(source)
            return
        with torch.cuda.stream(self._stream):
            target.copy_(source, non_blocking=True)

    def _wait(self) -> None:
        if self._stream is not None:
            self._stream.synchronize()
