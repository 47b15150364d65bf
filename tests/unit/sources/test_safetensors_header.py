"""A header is believed only when every reader would read the same tensors from it."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from safetensors import SafetensorError, TensorSpec, safe_open, serialize

from dr_lib.sources.base import TensorSpan
from dr_lib.sources.safetensors_header import MAX_HEADER_BYTES, NotSafetensors, parse
from tests.unit.sources.trees import safetensors_file, tensor


def parsed(content: bytes) -> tuple[TensorSpan, ...]:
    return parse(lambda offset, length: content[offset : offset + length], len(content))


def test_what_the_library_writes_is_read(tmp_path):
    facts = {
        "half": ("bfloat16", [2, 3], 12),
        "scalar": ("float32", [], 4),
        "none": ("float32", [0, 4], 0),
        "flags": ("bool", [3], 3),
        "größe": ("int64", [4], 32),
        "eight": ("float8_e4m3fn", [5], 5),
        "packed": ("float4_e2m1fn_x2", [3, 2], 6),
    }
    buffers = {name: np.frombuffer(os.urandom(length), np.uint8) for name, (_, _, length) in facts.items()}
    tensors = {
        name: TensorSpec(dtype=dtype, shape=shape, data_ptr=buffers[name].ctypes.data, data_len=length)
        for name, (dtype, shape, length) in facts.items()
    }
    content = serialize(tensors, {"format": "pt"})
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    spans = {span.name: span for span in parsed(content)}
    assert {name: content[span.offset : span.offset + span.length] for name, span in spans.items()} == {
        name: buffer.tobytes() for name, buffer in buffers.items()
    }
    with safe_open(path, "np") as library:
        for name, span in spans.items():
            stored = library.get_slice(name)
            assert (span.dtype, list(span.shape)) == (stored.get_dtype(), stored.get_shape())


def test_every_dtype_of_the_library_has_its_size():
    widths = {
        1: ("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"),
        2: ("U16", "I16", "F16", "BF16"),
        4: ("U32", "I32", "F32"),
        8: ("U64", "I64", "F64", "C64"),
    }
    for width, dtypes in widths.items():
        for dtype in dtypes:
            assert parsed(safetensors_file({"t": tensor(dtype, [3], 0, 3 * width)}, bytes(3 * width)))[0].dtype == dtype


@pytest.mark.parametrize(("dtype", "shape"), [("F4", [3, 4]), ("F6_E2M3", [8]), ("F6_E3M2", [2, 4])])
def test_packed_dtypes_share_bytes_among_elements(dtype, shape):
    content = safetensors_file({"t": tensor(dtype, shape, 0, 6)}, bytes(6))
    assert parsed(content) == (TensorSpan("t", dtype, tuple(shape), len(content) - 6, 6),)


def test_tensors_are_sorted_by_offset_then_name():
    header = {
        "c": tensor("U8", [2], 1, 3),
        "z": tensor("U8", [0], 1, 1),
        "a": tensor("U8", [0], 3, 3),
        "b": tensor("U8", [], 0, 1),
    }
    assert [span.name for span in parsed(safetensors_file(header, bytes(3)))] == ["b", "c", "z", "a"]


def test_no_tensor_at_all_and_a_padded_header_are_valid():
    assert parsed(safetensors_file({})) == ()
    assert parsed(safetensors_file({"__metadata__": {"format": "pt"}})) == ()
    assert parsed(safetensors_file(b'{"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}   ', b"x"))[0].length == 1


GOOD = tensor("U8", [2], 0, 2)
ODD_HEADERS = {
    "no JSON": b'{"t"',
    "an array": b"[]",
    "not UTF-8": b'{"\xff": 1}',
    "a space first": b" " + json.dumps({"t": GOOD}).encode(),
    "not a number elsewhere": {"t": GOOD | {"note": float("nan")}},
    "a name twice": b'{"t":%b,"t":%b}' % (json.dumps(GOOD).encode(), json.dumps(GOOD).encode()),
    "a fact twice": b'{"t":{"dtype":"U8","dtype":"I8","shape":[2],"data_offsets":[0,2]}}',
    "deep nesting": b'{"t":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "a huge number": b'{"t":{"dtype":"U8","shape":[2],"data_offsets":[0,' + b"9" * 5000 + b"]}}",
    "not a number": b'{"t":{"dtype":"U8","shape":[NaN],"data_offsets":[0,2]}}',
    "a lone surrogate": b'{"\\ud800":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}',
    "a tensor that is a list": {"t": []},
    "no dtype": {"t": {"shape": [2], "data_offsets": [0, 2]}},
    "an unknown dtype": {"t": GOOD | {"dtype": "F7"}},
    "a dtype that is a list": {"t": GOOD | {"dtype": ["U8"]}},
    "no shape": {"t": {"dtype": "U8", "data_offsets": [0, 2]}},
    "a negative extent": {"t": GOOD | {"shape": [-1, -2]}},
    "a fractional extent": {"t": GOOD | {"shape": [2.0]}},
    "a true extent": {"t": GOOD | {"shape": [True, 2]}},
    "a shape too small": {"t": GOOD | {"shape": [1]}},
    "a shape too large": {"t": GOOD | {"shape": [3]}},
    "an enormous shape": {"t": GOOD | {"shape": [10**300] * 20_000}},
    "an enormous shape of nothing": {"t": GOOD | {"shape": [10**300, 0]}},
    "half a byte": {"t": tensor("F4", [3], 0, 2)},
    "half an element": {"t": tensor("U32", [0], 0, 2)},
    "offsets reversed": {"t": tensor("U8", [2], 2, 0)},
    "three offsets": {"t": GOOD | {"data_offsets": [0, 1, 2]}},
    "negative offsets": {"t": tensor("U8", [3], -1, 2)},
    "a hole at the start": {"t": tensor("U8", [1], 1, 2)},
    "a hole between": {"s": tensor("U8", [0], 0, 0), "t": tensor("U8", [1], 1, 2)},
    "an overlap": {"s": tensor("U8", [2], 0, 2), "t": tensor("U8", [1], 1, 2)},
    "the same bytes twice": {"s": GOOD, "t": GOOD},
    "bytes left over": {"t": tensor("U8", [1], 0, 1)},
    "past the end": {"t": tensor("U8", [3], 0, 3)},
    "nothing for the bytes": {},
    "metadata that is no map": {"__metadata__": ["x"], "t": GOOD},
    "metadata that is no text": {"__metadata__": {"epoch": 3}, "t": GOOD},
}


def test_the_odd_headers_are_odd_by_one_thing_alone():
    assert len(parsed(safetensors_file({"t": GOOD}, b"ab"))) == 1


@pytest.mark.parametrize("header", ODD_HEADERS.values(), ids=ODD_HEADERS.keys())
def test_an_odd_header_is_refused(header):
    with pytest.raises(NotSafetensors):
        parsed(safetensors_file(header, b"ab"))


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 7, b"\0" * 8, b"\0" * 100, b"\xff" * 100, (3).to_bytes(8, "little") + b"{}"]
)
def test_a_length_that_the_file_cannot_have_is_refused(content):
    with pytest.raises(NotSafetensors):
        parsed(content)


def test_a_header_over_the_limit_is_refused_without_being_read():
    asked = []

    def read(offset: int, length: int) -> bytes:
        asked.append(length)
        return ((MAX_HEADER_BYTES + 1).to_bytes(8, "little") + b"{")[offset : offset + length]

    with pytest.raises(NotSafetensors):
        parse(read, 1 << 40)
    assert asked == [9]


def test_what_the_library_refuses_is_refused_and_what_it_reads_is_read(tmp_path):
    """Except where readers differ (a name twice) or the library is more lenient than the format."""
    path = tmp_path / "m.safetensors"
    stricter = {"a name twice", "a space first", "a fact twice"}
    for label, header in ODD_HEADERS.items():
        path.write_bytes(safetensors_file(header, b"ab"))
        if label not in stricter:
            with pytest.raises(SafetensorError), safe_open(path, "np"):
                pytest.fail(f"the library reads {label}")
