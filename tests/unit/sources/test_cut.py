"""Files are cut at their tensors, so that a tensor that did not change is the same frame in the next version."""

from __future__ import annotations

import logging

import pytest

from dr_lib.sources.base import FileCut, Span
from dr_lib.sources.cut import ALONE_BYTES, FRAME_BYTES, cut_file
from tests.unit.sources.trees import safetensors_file, tensor

MIB = 1 << 20


def cut(content: bytes, path: str = "m.safetensors") -> FileCut:
    return cut_file(path, lambda offset, length: content[offset : offset + length], len(content))


def model(*tensors: tuple[str, int]) -> bytes:
    """A file of one-byte-aligned tensors in this order: dtype and bytes of each."""
    header, position = {}, 0
    bits = {"U8": 8, "BF16": 16, "F32": 32, "F4": 4}
    for number, (dtype, length) in enumerate(tensors):
        header[f"t{number}"] = tensor(dtype, [length * 8 // bits[dtype]], position, position + length)
        position += length
    return safetensors_file(header, bytes(position))


def spans_after_header(content: bytes) -> list[tuple[int, str | None]]:
    spans = cut(content).spans
    assert spans[0] == Span(0, 8 + int.from_bytes(content[:8], "little"), None)
    return [(span.length, span.dtype) for span in spans[1:]]


def test_the_header_is_a_frame_and_long_tensors_are_cut_alone():
    content = model(("F32", 9 * MIB), ("F32", MIB))
    assert spans_after_header(content) == [(4 * MIB, "F32"), (4 * MIB, "F32"), (MIB, "F32"), (MIB, "F32")]


def test_short_neighbours_of_one_dtype_share_a_frame():
    assert spans_after_header(model(("F32", 400), ("F32", 4), ("F32", MIB - 4))) == [(MIB + 400, "F32")]


def test_a_bundle_ends_before_it_outgrows_a_frame():
    content = model(*[("BF16", MIB - 2)] * 6)
    assert spans_after_header(content) == [(4 * (MIB - 2), "BF16"), (2 * (MIB - 2), "BF16")]


def test_a_bundle_never_crosses_into_another_dtype_or_a_long_tensor():
    content = model(("F32", 8), ("BF16", 8), ("BF16", MIB), ("BF16", 8), ("U8", 8))
    assert spans_after_header(content) == [(8, "F32"), (8, "BF16"), (MIB, "BF16"), (8, "BF16"), (8, "U8")]


def test_a_tensor_without_elements_has_no_span_and_parts_no_bundle():
    content = model(("F32", 8), ("BF16", 0), ("F32", 8), ("U8", 0))
    assert spans_after_header(content) == [(16, "F32")]
    assert len(cut(content).tensors) == 4


def test_elements_that_share_bytes_are_opaque_but_stay_tensors():
    content = model(("F4", 8), ("U8", 8))
    assert spans_after_header(content) == [(8, None), (8, "U8")]
    assert [span.dtype for span in cut(content).tensors] == ["F4", "U8"]


def test_a_file_of_no_tensor_is_its_header():
    content = safetensors_file({"__metadata__": {"format": "pt"}})
    assert cut(content) == FileCut((Span(0, len(content), None),), ())


def test_a_long_header_is_cut_like_any_bytes():
    content = safetensors_file({"__metadata__": {"note": "x" * (5 * MIB)}, "t": tensor("U8", [1], 0, 1)}, b"\0")
    lengths = [(span.length, span.dtype) for span in cut(content).spans]
    assert lengths == [(FRAME_BYTES, None), (len(content) - 1 - FRAME_BYTES, None), (1, "U8")]


@pytest.mark.parametrize(
    ("size", "lengths"),
    [(0, []), (1, [1]), (4 * MIB, [4 * MIB]), (4 * MIB + 1, [4 * MIB, 1]), (9 * MIB, [4 * MIB, 4 * MIB, MIB])],
)
def test_a_file_without_content_is_cut_at_the_greatest_length(size, lengths):
    found = cut(bytes(size), "swap.img")
    assert [span.length for span in found.spans] == lengths
    assert {span.dtype for span in found.spans} <= {None}
    assert found.tensors == ()


def test_an_invalid_safetensors_file_is_cut_like_any_other_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        assert cut(b"no header", "deep/Model.SafeTensors") == FileCut((Span(0, 9, None),), ())
    assert "deep/Model.SafeTensors" in caplog.text


def test_a_large_file_is_cut_at_its_tensors_whatever_its_name(caplog):
    content = model(("F32", ALONE_BYTES))
    with caplog.at_level(logging.WARNING):
        assert cut(content, "blobs/53aa51172d14") == cut(content)
        assert cut(bytes(ALONE_BYTES), "zeros").tensors == ()
    assert caplog.messages == []


def test_a_small_file_of_another_name_is_not_even_opened():
    def unread(offset: int, length: int) -> bytes:
        raise AssertionError(f"read {length} bytes at {offset}")

    assert cut_file("config.json", unread, ALONE_BYTES - 1).spans == (Span(0, ALONE_BYTES - 1, None),)
