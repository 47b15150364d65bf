"""Cuts `.npy` files into the header and frames of whole elements.

Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. The header is matched, not evaluated:
one that numpy would not have written this way is odd, and so are objects, which are pickled.
"""

from __future__ import annotations

import math
import re
from typing import Final

from dr_lib.sources.base import FileCut, ReadRange
from dr_lib.sources.cutting.spans import OddBytes, fixed

MAGIC: Final = b"\x93NUMPY"
_LONGEST_HEADER: Final = 64 << 10
_HEADER: Final = re.compile(
    rb"\{'descr': '[<|]([biuf])([1248])', 'fortran_order': (?:True|False), "
    rb"'shape': \(((?:\d{1,19}, ?){0,64}(?:\d{1,19})?)\), \} *\n"
)
_DTYPES: Final = {b"b1": "BOOL", **{f"{k}{n}".encode(): f"{k.upper()}{n * 8}" for k in "iu" for n in (1, 2, 4, 8)}}
_FLOATS: Final = {b"f2": "F16", b"f4": "F32", b"f8": "F64"}


def cut(read: ReadRange, size: int) -> FileCut:
    """The cut of an array file. Raises `OddBytes`, and what `read` raises. Reads the header alone."""
    start, header = _header(read, size)
    found = _HEADER.fullmatch(header)
    dtype = {**_DTYPES, **_FLOATS}.get(found[1] + found[2]) if found else None
    if found is None or dtype is None:
        raise OddBytes("no array of plain numbers")
    elements = math.prod(int(extent) for extent in re.findall(rb"\d+", found[3]))
    if start + elements * int(found[2]) != size:
        raise OddBytes("the array does not fill the file")
    return FileCut((*fixed(0, start), *fixed(start, size, dtype)), ())


def _header(read: ReadRange, size: int) -> tuple[int, bytes]:
    """Where the array begins, and the text that describes it."""
    prefix = read(0, min(size, 12))
    width = {b"\1\0": 2, b"\2\0": 4, b"\3\0": 4}.get(prefix[6:8])
    if width is None:
        raise OddBytes("no npy of a known version")
    length = int.from_bytes(prefix[8 : 8 + width], "little")
    start = 8 + width + length
    if length > _LONGEST_HEADER or start > size:
        raise OddBytes(f"a header of {length} bytes")
    return start, read(8 + width, length)
