"""What a codec promises."""

from __future__ import annotations

from typing import Protocol

from dr_lib.errors import IntegrityError


class Codec(Protocol):
    """One reversible encoding. `decode(encode(x), len(x)) == x` for every `x` that `encode` takes.

    Codecs hold no state that changes: any number of threads may share one.
    """

    @property
    def id(self) -> int:
        """Number in the frame table."""
        ...

    @property
    def name(self) -> str:
        """Name for people."""
        ...

    def encode(self, raw: bytes) -> bytes | None:
        """Encoded bytes, possibly longer than `raw`; None when this codec has no form for them."""
        ...

    def decode(self, stored: bytes | memoryview, raw_length: int) -> bytes:
        """Exactly `raw_length` bytes or `IntegrityError`; hostile input makes it allocate at most four times that."""
        ...


def exactly(data: bytes, length: int) -> bytes:
    """`data`, which `IntegrityError` says is not `length` bytes long otherwise."""
    if len(data) != length:
        raise IntegrityError(f"a frame holds {len(data)} bytes where {length} were promised")
    return data
