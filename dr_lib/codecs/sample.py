"""A small part of a frame on which encodings are tried before one of them gets the whole."""

from __future__ import annotations

from typing import Final, overload

WINDOW: Final = 8 << 10
"""Bytes of each of the three windows; a multiple of every element's width."""


@overload
def sample(raw: bytes) -> bytes: ...
@overload
def sample(raw: bytes | memoryview) -> bytes | memoryview: ...
def sample(raw: bytes | memoryview) -> bytes | memoryview:
    """Three windows of `raw`, each beginning on a multiple of 8; all of it when that is hardly more."""
    if len(raw) <= WINDOW * 8:
        return raw
    middle = len(raw) // 2 // 8 * 8
    last = (len(raw) - WINDOW) // 8 * 8
    return b"".join(raw[at : at + WINDOW] for at in (0, middle, last))
