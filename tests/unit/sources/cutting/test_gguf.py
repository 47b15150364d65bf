"""GGUF files are cut at their tensors, whole numbers with their dtype."""

from __future__ import annotations

import struct

import pytest

from dr_lib.sources.base import TensorSpan
from dr_lib.sources.tensor_meter import TensorMeter
from tests.unit.sources.cutting.contents import KIB, MIB, assert_opaque, cut, new_bytes, noise
from tests.unit.sources.cutting.gguf_files import Tensor, array, entry, gguf_file, text

F32, F16, Q4_K, I8, BF16 = 0, 1, 12, 24, 30
UINT32, STRING, ARRAY, UINT64 = 4, 8, 9, 10

EMBEDDING = Tensor("token_embd.weight", F16, (1024, 2560), noise(1, 5 * MIB))
NORM = Tensor("norm.weight", F32, (5,), noise(2, 20))
QUANTISED = Tensor("ffn.weight", Q4_K, (256, 8192), noise(3, 8192 * 144))
TOKENS = entry("tokenizer.tokens", ARRAY, array(STRING, (text(f"token {n}") for n in range(30_000))))
METADATA = [
    entry("general.name", STRING, text("small")),
    TOKENS,
    entry("scores", ARRAY, array(6, [struct.pack("<f", 1.5)] * 9)),
    entry("nested", ARRAY, array(ARRAY, [array(0, [b"x", b"y"]), array(STRING, [text("z")])])),
    entry("count", UINT64, struct.pack("<Q", 7)),
]


@pytest.mark.parametrize("version", [2, 3])
def test_long_tensors_are_cut_alone_and_short_ones_by_dtype(version):
    content = gguf_file(
        [EMBEDDING, NORM, NORM.__class__("n2", F32, (2,), noise(4, 8)), QUANTISED], METADATA, version=version
    )
    spans = cut(content).spans
    assert [(span.length, span.dtype) for span in spans[1:]] == [
        (4 * MIB, "F16"),
        (MIB, "F16"),
        (64, "F32"),
        (8192 * 144, None),
    ]
    assert spans[0].length == content.index(EMBEDDING.data)


def test_tensors_are_named_with_shapes_in_the_order_of_rows():
    content = gguf_file([NORM, EMBEDDING, QUANTISED], METADATA)
    assert cut(content).tensors == tuple(
        TensorSpan(t.name, dtype, t.dimensions[::-1], content.index(t.data), len(t.data))
        for t, dtype in ((NORM, "F32"), (EMBEDDING, "F16"), (QUANTISED, "Q4_K"))
    )


def test_every_tensor_can_be_measured_by_its_spans():
    content = gguf_file(
        [NORM, Tensor("b", BF16, (3,), noise(5, 6)), EMBEDDING, QUANTISED, Tensor("i", I8, (7,), b"1234567")]
    )
    found = cut(content)
    meter = TensorMeter("m.gguf", found.tensors)
    entries = [e for s in found.spans for e in meter.feed(s.offset, content[s.offset : s.offset + s.length])]
    assert [entry.name for entry in entries] == [tensor.name for tensor in found.tensors]


def test_an_equal_tensor_is_not_stored_again_wherever_it_moved_to():
    before = gguf_file([EMBEDDING, NORM, QUANTISED], METADATA)
    after = gguf_file([QUANTISED, Tensor("new", I8, (3,), b"abc"), EMBEDDING], METADATA[:1], version=2)
    assert new_bytes(after, before) < 4 * KIB


def test_changed_metadata_stores_the_header_alone():
    before = gguf_file([EMBEDDING, QUANTISED], [TOKENS])
    after = gguf_file([EMBEDDING, QUANTISED], [TOKENS, METADATA[0]])
    assert new_bytes(after, before) == cut(after).spans[0].length


def test_a_stated_alignment_is_heeded():
    entries = [entry("general.alignment", UINT32, struct.pack("<I", 4096))]
    content = gguf_file([NORM, EMBEDDING], entries, alignment=4096)
    assert [span.offset for span in cut(content).spans[:3]] == [0, 4096, 8192]


def test_a_last_tensor_without_padding_and_bytes_after_it_are_kept():
    content = gguf_file([EMBEDDING, NORM])
    for length in (0, 1, 12, 100, MIB):
        found = cut(content + noise(9, length))
        assert [tensor.name for tensor in found.tensors] == [EMBEDDING.name, NORM.name]
        assert all(span.length % 4 == 0 for span in found.spans if span.dtype == "F32")


def test_a_tensor_without_elements_is_named_and_has_no_span():
    found = cut(gguf_file([EMBEDDING, Tensor("none", F32, (0, 4), b""), NORM]))
    assert [tensor.length for tensor in found.tensors] == [5 * MIB, 0, 20]


def header(tensors: int, entries: int, rest: bytes, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, entries) + rest + noise(1, 2 * MIB)


@pytest.mark.parametrize(
    "content",
    [
        gguf_file([EMBEDDING], version=1),
        gguf_file([EMBEDDING], version=0x03000000),
        gguf_file([EMBEDDING, EMBEDDING]),
        gguf_file([EMBEDDING, Tensor("a", F32, (5,), b"", offset=64)]),
        gguf_file([Tensor("a", F32, (5,), b"", offset=1 << 63), EMBEDDING]),
        gguf_file([Tensor("a", 9999, (5,), noise(1, 20)), EMBEDDING]),
        gguf_file([Tensor("a", Q4_K, (5,), noise(1, 20)), EMBEDDING]),
        gguf_file([Tensor("a", F32, (1,) * 9, noise(1, 4)), EMBEDDING]),
        gguf_file([Tensor("a", F32, (1 << 63, 1 << 63), b""), EMBEDDING]),
        gguf_file([EMBEDDING], [entry("k", 99, b"")]),
        gguf_file([EMBEDDING], [entry("general.alignment", UINT32, struct.pack("<I", 0))]),
        gguf_file([EMBEDDING], [entry("general.alignment", UINT32, struct.pack("<I", 48))]),
        gguf_file([EMBEDDING], [text(b"\xff") + struct.pack("<IB", 0, 1)]),
        gguf_file([EMBEDDING], counts=(1 << 63, 0)),
        gguf_file([EMBEDDING], counts=(0, 1 << 63)),
        header(0, 1, text("k") + struct.pack("<IIQ", ARRAY, UINT64, 1 << 62)),
        header(0, 1, text("k") + struct.pack("<IIQ", ARRAY, STRING, 1 << 62)),
        header(0, 1, text("k") + struct.pack("<I", ARRAY) + struct.pack("<IQ", ARRAY, 1) * 50),
        header(0, 1, struct.pack("<Q", 1 << 62)),
        header(0, 1, struct.pack("<Q", MIB)),
    ],
    ids=range(20),
)
def test_what_is_odd_is_opaque(content):
    assert_opaque(content)


def test_a_header_without_tensors_covers_the_file_all_the_same():
    assert cut(header(0, 0, b"")).tensors == ()


def test_a_truncated_file_is_opaque():
    assert_opaque(gguf_file([EMBEDDING, NORM])[: 4 * MIB])
