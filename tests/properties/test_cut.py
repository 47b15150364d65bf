"""For any bytes: the cut covers the file exactly, and the header's reader refuses in one way only."""

from __future__ import annotations

import contextlib
import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dr_lib.sources.base import FileCut, TensorSpan
from dr_lib.sources.cut import FRAME_BYTES, cut_file
from dr_lib.sources.safetensors_header import ITEM_BITS, NotSafetensors, parse
from tests.unit.sources.trees import safetensors_file, tensor

MIB = 1 << 20

tensor_facts = st.tuples(
    st.sampled_from(sorted(ITEM_BITS)),
    st.one_of(st.integers(0, 64), st.integers(0, 3 * MIB)),
)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(lambda t: t != "__metadata__")
models = st.dictionaries(names, tensor_facts, max_size=12)


def header_of(model: dict[str, tuple[str, int]]) -> tuple[bytes, int]:
    """Header and size of a file that holds these tensors: a dtype and about how many bytes, each."""
    facts, position = {}, 0
    for name, (dtype, bytes_wanted) in model.items():
        unit = max(ITEM_BITS[dtype] // 8, 3 if ITEM_BITS[dtype] == 6 else 1)
        length = bytes_wanted // unit * unit
        facts[name] = tensor(dtype, [length * 8 // ITEM_BITS[dtype]], position, position + length)
        position += length
    header = safetensors_file(facts)
    return header, len(header) + position


def cut_sparse(header: bytes, size: int, path: str = "m.safetensors") -> FileCut:
    """The cut of a file of which only the header matters; the rest reads as zeros."""
    return cut_file(path, lambda offset, length: header[offset : offset + length].ljust(length, b"\0"), size)


def assert_covers(found: FileCut, size: int) -> None:
    position = 0
    for span in found.spans:
        assert span.offset == position
        assert 0 < span.length <= FRAME_BYTES
        position += span.length
    assert position == size


@given(st.integers(0, 6 * MIB), st.sampled_from(["x.bin", "x.safetensors"]))
@example(0, "x.bin")
@settings(deadline=None)
def test_any_size_is_covered_exactly_and_in_order(size, path):
    assert_covers(cut_sparse(b"", size, path), size)


@given(models)
def test_a_valid_model_is_covered_and_every_span_of_a_dtype_lies_in_tensors_of_that_dtype(model):
    header, size = header_of(model)
    found = cut_sparse(header, size)
    assert_covers(found, size)
    assert [span.name for span in found.tensors if span.length] == [
        name
        for name, facts in model.items()
        if facts[1] * 8 >= max(ITEM_BITS[facts[0]], 24 if facts[0][:2] == "F6" else 8)
    ]
    for span in found.spans:
        inside = [
            t for t in found.tensors if t.offset < span.offset + span.length and span.offset < t.offset + t.length
        ]
        if span.dtype is not None:
            assert {t.dtype for t in inside if t.length} == {span.dtype}
            assert all((span.offset - t.offset) * 8 % ITEM_BITS[span.dtype] == 0 for t in inside[:1])
            assert span.length * 8 % ITEM_BITS[span.dtype] == 0


@given(models)
def test_a_long_tensor_shares_no_span(model):
    found = cut_sparse(*header_of(model))
    edges = {edge for span in found.spans for edge in (span.offset, span.offset + span.length)}
    for long in (t for t in found.tensors if t.length >= MIB):
        assert {long.offset, long.offset + long.length} <= edges


def spans_of(found: FileCut, wanted: TensorSpan) -> list[tuple[int, int]]:
    inside = [s for s in found.spans if wanted.offset <= s.offset < wanted.offset + wanted.length]
    return [(s.offset - wanted.offset, s.length) for s in inside]


@given(models, models, st.sampled_from(sorted(ITEM_BITS)), st.integers(MIB, 9 * MIB))
def test_an_equal_long_tensor_is_cut_alike_in_any_file(left, right, dtype, length):
    cuts = []
    for model in (left, right):
        found = cut_sparse(*header_of({**model, "shared": (dtype, length)}))
        cuts.append(spans_of(found, next(t for t in found.tensors if t.name == "shared")))
    assert cuts[0] == cuts[1]
    assert cuts[0][0][0] == 0


def refuses_in_one_way(content: bytes) -> None:
    with contextlib.suppress(NotSafetensors):
        tensors = parse(lambda offset, length: content[offset : offset + length], len(content))
        assert sum(t.length for t in tensors) == len(content) - 8 - int.from_bytes(content[:8], "little")
    assert_covers(cut_sparse(content, len(content)), len(content))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_in_one_way(content):
    refuses_in_one_way(content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(sorted(ITEM_BITS)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["dtype", "shape", "data_offsets", "__metadata__", "t"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(json_values, st.binary(max_size=16))
def test_any_json_for_a_header_is_refused_in_one_way(header, data):
    refuses_in_one_way(safetensors_file(json.dumps(header).encode(), data))


@given(models, st.data())
def test_a_valid_file_with_bytes_changed_cut_or_added_is_refused_in_one_way(model, data):
    header, size = header_of({name: (dtype, wanted % 512) for name, (dtype, wanted) in model.items()})
    content = bytearray(header.ljust(size, b"\0"))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(header) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(content)) | st.just(len(content)))
    refuses_in_one_way(bytes(content[:end]) + data.draw(st.binary(max_size=9)))
