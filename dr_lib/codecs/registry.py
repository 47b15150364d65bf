"""The codecs by id, and the choice of the smallest encoding.

Ids are part of the format and none is ever reused; a new codec takes the next free one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dr_lib.codecs.bytewise import Raw, Repeat, Zstd
from dr_lib.codecs.codec import Codec
from dr_lib.codecs.elements import LAYOUTS
from dr_lib.codecs.palette import Palette
from dr_lib.codecs.planes import Planes
from dr_lib.codecs.sample import sample
from dr_lib.errors import DrError, IntegrityError

KEEP_ENCODED_BELOW: Final = 0.98
"""An encoding that saves less than 2 % is not worth decoding it at the worst moment: the frame stays raw."""
CLOSE: Final = 1.02
"""A candidate that is this much larger than the best one on a sample is not tried on the whole frame."""

RAW: Final = Raw()
ZSTD: Final = Zstd()
_BY_ID: Final[dict[int, Codec]] = {codec.id: codec for codec in (RAW, ZSTD, Repeat(), Planes(), Palette())}


def by_id(codec_id: int) -> Codec:
    """The codec of that id; `IntegrityError` for one that this version does not know."""
    codec = _BY_ID.get(codec_id)
    if codec is None:
        raise IntegrityError(f"unknown codec id {codec_id}", hint="restore with a newer version of this program")
    return codec


def encode_smallest(raw: bytes, dtype: str | None = None) -> tuple[int, bytes]:
    """Smallest proven encoding of `raw` as (codec id, stored bytes).

    `dtype` is the safetensors name of the elements that `raw` begins with, None for bytes that are no tensor; a
    wrong or unknown one costs bytes and nothing else. The encoding is decoded and compared before it counts, so that
    a codec's defect is found while the source still exists. Needs about six times `raw` in memory. Raises `DrError`
    (1) when a codec fails its own round trip.
    """
    best: Codec = RAW
    stored, limit = raw, len(raw) * KEEP_ENCODED_BELOW
    for codec, encoded in _encodings(raw, dtype):
        if len(encoded) < limit:
            best, stored, limit = codec, encoded, len(encoded)
    if best is not RAW:
        _prove(best, stored, raw)
    return best.id, stored


def candidates(dtype: str | None) -> tuple[Codec, ...]:
    """Codecs that may suit elements of `dtype`."""
    layout = LAYOUTS.get(dtype) if dtype is not None else None
    if layout is None:
        return (Repeat(), ZSTD)
    return (Repeat(layout.width), Planes(layout.width, layout.turn), Palette(layout.width), ZSTD)


def _encodings(raw: bytes, dtype: str | None) -> Iterator[tuple[Codec, bytes]]:
    """Encodings of `raw` by the candidates that are the best or close to it on a sample of it."""
    part = sample(raw)
    tried = {codec: encoded for codec in candidates(dtype) if (encoded := codec.encode(part)) is not None}
    if len(part) == len(raw):
        yield from tried.items()
        return
    least = min(map(len, tried.values()))
    for codec, encoded in tried.items():
        if len(encoded) <= least * CLOSE and (whole := codec.encode(raw)) is not None:
            yield codec, whole


def _prove(codec: Codec, stored: bytes, raw: bytes) -> None:
    if codec.decode(stored, len(raw)) != raw:
        raise DrError(f"{codec.name} did not give back the bytes it was given", hint="check this machine's memory")
