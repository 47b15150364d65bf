"""Scrubs: one run of a verification over the copies of an asset in one vault, and what is covered by then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Span:
    """Keys behind the span before it, up to and with `upto`, and when their bytes were last read; None for never."""

    upto: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far a vault's bytes of an asset were read again. Bytes, seconds.

    `read_bytes` of `total_bytes` were read (or written) within the last `within_s`; `oldest_s` is the time since the
    bytes that wait longest were read or written, 0 where there are none.
    """

    total_bytes: int
    read_bytes: int
    oldest_s: float
    within_s: float

    @property
    def overdue(self) -> bool:
        """Whether some byte waits longer than was promised."""
        return self.oldest_s > self.within_s


@dataclass(frozen=True, slots=True)
class Scrub:
    """One verification run, as its event states it; it is all that the next run has to read of the past.

    `run` is shaped like a point's id. `findings` are about objects that no single point needs. `damaged` are keys
    known to be damaged or gone, found by this run or one before it, and not read whole since. `given_up` are
    `key tag` of damaged objects that nothing needs and nothing brings back. `unnamed` are points that were here and
    whose names no other event has. `cursor` is the key up to which the walk of samples went, `coverage` the spans of
    keys, ascending, empty when nothing was ever read. `baseline` is the key of the event of the last full run, which
    has an inventory of all other objects; empty for this run's own, or none. `inventory` is packed as `vault/others`
    does; None in the event of a run that made none. `covered` is how far all bytes were read again at that moment.
    """

    region: str
    asset: str
    run: str
    mode: str
    at: datetime
    seconds: float
    points: int
    bytes_read: int
    findings: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    cursor: str = ""
    coverage: tuple[Span, ...] = ()
    baseline: str = ""
    inventory: dict[str, str] | None = None
    covered: Coverage | None = None
