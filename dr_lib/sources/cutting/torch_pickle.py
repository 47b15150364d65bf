"""What the pickle of a torch checkpoint says about its storages: which numbers they hold, and which tensors.

Format: torch/serialization.py (`persistent_id`) and torch/_utils.py (`_rebuild_tensor_v2`, `_rebuild_tensor_v3`) of
torch 2.13; torch's own docs call the layout stable from 1.6 on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from dr_lib.sources.cutting.pickle_trace import OPAQUE, Name, trace

_STORAGES: Final = {
    "Double": "F64", "Float": "F32", "Half": "F16", "BFloat16": "BF16", "Long": "I64", "Int": "I32", "Short": "I16",
    "Char": "I8", "Byte": "U8", "Bool": "BOOL", "ComplexFloat": "C64",
}  # fmt: skip
_DTYPES: Final = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
    "complex64": "C64", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ", "float8_e8m0fnu": "F8_E8M0",
}  # fmt: skip
"""safetensors' names of torch's dtypes; those it has no name for (quantised ones, complex128) stay unknown."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A contiguous tensor as the pickle states it; `offset` counts elements within the storage named `key`."""

    key: str
    dtype: str
    shape: tuple[int, ...]
    offset: int


@dataclass(slots=True)
class Checkpoint:
    """`dtypes` by storage key, for the storages of one known dtype. `tensors` of a flat dict, by name."""

    dtypes: dict[str, str] = field(default_factory=dict)
    tensors: dict[str, Stated] = field(default_factory=dict)


def read_checkpoint(data: bytes) -> Checkpoint:
    """What `data` says. Raises `OddBytes` for anything but a pickle that can be followed; see `trace`."""
    found = _Storages()
    value = trace(data, found.call, found.load)
    dtypes = {key: dtype for key, dtype in found.dtypes.items() if dtype}
    tensors = {name: stated for name, stated in _stated(value) if dtypes.get(stated.key) == stated.dtype}
    return Checkpoint(dtypes, tensors)


def _stated(value: Any) -> Iterator[tuple[str, Stated]]:
    if type(value) is dict:
        for name, item in value.items():
            if isinstance(item, Stated) and name.isprintable():
                yield name, item


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: str | None


@dataclass(slots=True)
class _Storages:
    """Gathers dtypes while the pickle goes by; an untyped storage has that of its tensors, "" where they differ."""

    dtypes: dict[str, str] = field(default_factory=dict)

    def load(self, identifier: Any) -> Any:
        match identifier:
            case ("storage", Name("torch", name), str(key), _, _):
                dtype = _STORAGES.get(name.removesuffix("Storage"), "")
                return _Storage(key, self._seen(key, dtype))
            case ("storage", Name("torch.storage", "UntypedStorage"), str(key), _, _):
                return _Storage(key, None)
        return OPAQUE

    def call(self, function: Any, arguments: Any) -> Any:
        match function, arguments:
            case Name("collections", "OrderedDict"), ():
                return {}
            case Name("torch._utils", "_rebuild_parameter"), (tensor, *_):
                return tensor
            case Name("torch._utils", "_rebuild_tensor_v2"), (_Storage(), offset, shape, stride, *_):
                return self._tensor(arguments[0], offset, shape, stride)
            case (
                Name("torch._utils", "_rebuild_tensor_v3"),
                (_Storage(), offset, shape, stride, _, _, Name("torch", name), *_),
            ):
                key = arguments[0].key
                return self._tensor(_Storage(key, self._seen(key, _DTYPES.get(name, ""))), offset, shape, stride)
        return OPAQUE

    def _seen(self, key: str, dtype: str) -> str:
        if self.dtypes.setdefault(key, dtype) != dtype:
            self.dtypes[key] = ""
        return dtype

    @staticmethod
    def _tensor(storage: _Storage, offset: Any, shape: Any, stride: Any) -> Any:
        if not storage.dtype or not _counts((offset,)) or not _counts(shape) or not _contiguous(shape, stride):
            return OPAQUE
        return Stated(storage.key, storage.dtype, shape, offset)


def _counts(values: Any) -> bool:
    return type(values) is tuple and all(type(value) is int and 0 <= value < 1 << 63 for value in values)


def _contiguous(shape: tuple[int, ...], stride: Any) -> bool:
    """Whether elements follow each other in row-major order; the step along an extent of 1 means nothing."""
    if not _counts(stride) or len(stride) != len(shape):
        return False
    step = 1
    for extent, taken in zip(reversed(shape), reversed(stride), strict=True):
        if extent > 1 and taken != step:
            return 0 in shape
        step = min(step * extent, 1 << 63)
    return True
