"""The header of a safetensors file, read from bytes that nobody vouches for.

Format: 8 bytes (little-endian) with the length N of the header, N bytes of JSON that map each tensor's name to its
dtype, shape and offsets within the buffer that follows, then that buffer, covered by the tensors without a hole.
Source of the rules: https://github.com/huggingface/safetensors#format and the reader of safetensors 0.8.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

from dr_lib.sources.base import ReadRange, TensorSpan

LENGTH_BYTES = 8
MAX_HEADER_BYTES = 100_000_000
METADATA_KEY = "__metadata__"

ITEM_BITS = {
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
}
"""Bits of one element, for every dtype that safetensors 0.8 names."""


class NotSafetensors(Exception):
    """The bytes are no safetensors file that every reader would agree about. Never leaves `sources/`."""


def parse(read: ReadRange, size: int) -> tuple[TensorSpan, ...]:
    """Tensors of the file of `size` bytes behind `read`, sorted by offset (from the file's start), then name.

    Raises `NotSafetensors` on anything odd, and else only what `read` raises. Reads the header alone, and not even
    that when its length or first byte rule it out.
    """
    end = _header_end(read(0, min(LENGTH_BYTES + 1, size)), size)
    header = _load(read(LENGTH_BYTES, end - LENGTH_BYTES))
    _check_metadata(header.pop(METADATA_KEY, {}))
    tensors = sorted((_tensor(name, facts, end) for name, facts in header.items()), key=_position)
    _check_coverage(tensors, end, size)
    return tuple(tensors)


def is_packed(dtype: str) -> bool:
    """True when elements of `dtype` do not begin on whole bytes, so that its numbers cannot be told apart."""
    return ITEM_BITS[dtype] % 8 != 0


def _position(tensor: TensorSpan) -> tuple[int, str]:
    return tensor.offset, tensor.name


def _header_end(prefix: bytes, size: int) -> int:
    if len(prefix) <= LENGTH_BYTES:
        raise NotSafetensors("shorter than a header")
    length = int.from_bytes(prefix[:LENGTH_BYTES], "little")
    if not 0 < length <= min(MAX_HEADER_BYTES, size - LENGTH_BYTES):
        raise NotSafetensors(f"a header of {length} bytes in a file of {size}")
    if prefix[LENGTH_BYTES:] != b"{":
        raise NotSafetensors("the header does not begin with a brace")
    return LENGTH_BYTES + length


def _load(header: bytes) -> dict[str, Any]:
    try:
        loaded = json.loads(header.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise NotSafetensors(f"the header is no JSON: {error}") from error
    if not isinstance(loaded, dict):
        raise NotSafetensors("the header is no JSON object")
    return loaded


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object without a name twice: readers differ on which one counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotSafetensors("a name stands twice in the header")
    return found


def _no_constant(name: str) -> NoReturn:
    raise NotSafetensors(f"{name} in the header")


def _check_metadata(metadata: object) -> None:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise NotSafetensors("the metadata is no map of texts")


def _tensor(name: str, facts: Any, base: int) -> TensorSpan:
    _check_name(name)
    if not isinstance(facts, dict):
        raise NotSafetensors(f"tensor {name!r} is not described by an object")
    dtype = facts.get("dtype")
    if not isinstance(dtype, str) or dtype not in ITEM_BITS:
        raise NotSafetensors(f"tensor {name!r} has the unknown dtype {dtype!r:.40}")
    shape = _naturals(facts.get("shape"), name)
    offsets = _naturals(facts.get("data_offsets"), name)
    if len(offsets) != 2 or offsets[0] > offsets[1]:
        raise NotSafetensors(f"tensor {name!r} has no span")
    begin, length = offsets[0], offsets[1] - offsets[0]
    if not _holds(shape, *divmod(length * 8, ITEM_BITS[dtype])):
        raise NotSafetensors(f"tensor {name!r} does not fill its {length} bytes")
    return TensorSpan(name, dtype, shape, base + begin, length)


def _check_name(name: str) -> None:
    """JSON can spell lone surrogates, which no UTF-8 text (and no manifest) can hold."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotSafetensors(f"the name {name!r} is no text") from error


def _naturals(value: Any, name: str) -> tuple[int, ...]:
    whole: Callable[[Any], bool] = lambda item: type(item) is int and item >= 0  # noqa: E731 - bool is an int too
    if not isinstance(value, list) or not all(map(whole, value)):
        raise NotSafetensors(f"tensor {name!r} has a shape or offsets that are no counts")
    return tuple(value)


def _holds(shape: tuple[int, ...], elements: int, rest: int) -> bool:
    """Whether `shape` has exactly `elements` elements; stops early, so that a hostile shape costs no huge product."""
    if rest or 0 in shape:
        return rest == 0 and elements == 0
    count = 1
    for extent in shape:
        count *= extent
        if count > elements:
            return False
    return count == elements


def _check_coverage(tensors: list[TensorSpan], start: int, size: int) -> None:
    """Refuse holes, overlaps and bytes past the last tensor.

    A zero-element tensor sorts before its neighbour only by name, so positions are compared by offset and length.
    """
    position = start
    for tensor in sorted(tensors, key=lambda tensor: (tensor.offset, tensor.length)):
        if tensor.offset != position:
            raise NotSafetensors(f"tensor {tensor.name!r} leaves a hole or overlaps")
        position += tensor.length
    if position != size:
        raise NotSafetensors(f"the tensors end at {position} of {size} bytes")
