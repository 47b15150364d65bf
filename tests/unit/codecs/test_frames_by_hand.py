"""Frames written by hand, as FORMAT.md states them, are read; each way to be wrong is refused with its reason."""

from pathlib import Path

import pytest

import dr_lib.format
from dr_lib.codecs import registry
from dr_lib.codecs.layouts import Turn
from dr_lib.codecs.palette import Palette
from dr_lib.codecs.planes import Planes
from dr_lib.errors import IntegrityError

THREE_BF16 = bytes.fromhex("80 3f 00 c0 00 3f")
"""1.0, -2.0 and 0.5."""
PLANES = "02 01 03 00 00 00 03 00 00 00 00 01 00 7f 80 7e"
FOLDED = "02 02 03 00 00 00 03 00 00 00 00 01 04 00 00 00"
"""0, -1 and 2 in I16."""
PALETTE = "02 01 80 3f 00 c0 00 01 00 00"


def test_the_documents_examples_are_what_is_written_and_read():
    text = Path(dr_lib.format.__file__).with_name("FORMAT.md").read_text()
    assert f"`{PLANES}`" in text
    assert f"`{PALETTE}`" in text
    assert Planes(2, Turn.ROTATED).encode(THREE_BF16).hex(" ") == PLANES
    assert registry.by_id(3).decode(bytes.fromhex(PLANES), 6) == THREE_BF16
    assert f"`{FOLDED}`" in text
    assert Planes(2, Turn.FOLDED).encode(bytes.fromhex("00 00 ff ff 02 00")).hex(" ") == FOLDED
    assert registry.by_id(3).decode(bytes.fromhex(FOLDED), 6).hex(" ") == "00 00 ff ff 02 00"
    four = THREE_BF16[:4] + THREE_BF16[:2] * 2
    assert Palette(2).encode(four).hex(" ") == PALETTE
    assert registry.by_id(4).decode(bytes.fromhex(PALETTE), 8) == four


def test_what_is_left_over_stands_at_the_end():
    frame = bytes.fromhex(PLANES) + b"\xee"
    assert registry.by_id(3).decode(frame, 7) == THREE_BF16 + b"\xee"
    assert registry.by_id(4).decode(bytes.fromhex(PALETTE) + b"\xee", 9)[-1:] == b"\xee"


def test_a_pattern_is_cut_where_the_frame_ends():
    assert registry.by_id(2).decode(b"\x01\x02\x03", 8) == b"\x01\x02\x03\x01\x02\x03\x01\x02"


@pytest.mark.parametrize(
    ("codec", "frame", "length", "why"),
    [
        (2, "", 3, "a repeated pattern of 0 bytes"),
        (2, "00" * 9, 3, "a repeated pattern of 9 bytes"),
        (3, "", 0, "header"),
        (3, "02 03 00 00 00 00 00 00 00 00", 0, "header"),
        (3, "03 00 00 00 00 00 00 00 00 00", 0, "elements of 3 bytes"),
        (3, "02 00 00 00 00 00 01 00 00 00", 0, "do not fill it"),
        (3, "02 00 ff ff ff ff ff ff ff ff", 0, "do not fill it"),
        (3, PLANES, 7, "do not fill it"),
        (3, PLANES, 8, "does not decode|another length"),
        (4, "02", 0, "without its header"),
        (4, "01 00 07 00", 1, "elements of 1 bytes"),
        (4, "02 ff 07 00", 0, "before its values do"),
        (4, "02 00 07 00 01", 2, "no value for a position"),
        (4, "02 00 07 00 00 00", 2, "does not decode|another length"),
    ],
)
def test_a_frame_that_is_wrong_is_refused(codec, frame, length, why):
    with pytest.raises(IntegrityError, match=why):
        registry.by_id(codec).decode(bytes.fromhex(frame), length)
