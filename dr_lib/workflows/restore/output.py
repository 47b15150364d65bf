"""What a restore is to write: each file with the pieces that it is made of and the digests that it must have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dr_lib.model.manifest import FileEntry
from dr_lib.policy.restore_plan import FrameUse, Piece, RangeFetch, Write, plan_fetches, whole_file


@dataclass(frozen=True, slots=True)
class Check:
    """Bytes `offset` to `offset + length` of an output have this BLAKE3-256; `what` names them in a message."""

    offset: int
    length: int
    digest: bytes
    what: str


@dataclass(frozen=True, slots=True)
class Output:
    """A file to write: `head` as it stands, then the pieces. `checks` are in order and do not overlap."""

    path: str
    size: int
    mode: int
    mtime_ns: int
    pieces: tuple[Piece, ...]
    checks: tuple[Check, ...]
    head: bytes = b""

    @property
    def at_once(self) -> bool:
        """True when one frame is the whole of it."""
        return not self.head and (not self.pieces or (len(self.pieces) == 1 and self.pieces[0].end == self.size))

    @property
    def proven(self) -> bool:
        """True when a frame's digest, which is checked before it is written, is all that is to be checked."""
        digests = [(check.length, check.digest) for check in self.checks]
        return self.at_once and digests == [(piece.frame.raw, piece.frame.digest) for piece in self.pieces]


def output_of(file: FileEntry) -> Output:
    """A whole file of a manifest."""
    checks = (Check(0, file.size, file.blake3, f"the restored file {file.path!r}"),) if file.size else ()
    return Output(file.path, file.size, file.mode, file.mtime_ns, whole_file(file), checks)


def plan_outputs(outputs: Sequence[Output]) -> tuple[RangeFetch, ...]:
    """As `plan_fetches`, with the places that heads leave to the pieces."""
    fetches = plan_fetches([output.pieces for output in outputs])
    heads = [len(output.head) for output in outputs]
    return tuple(_moved(fetch, heads) for fetch in fetches) if any(heads) else fetches


def _moved(fetch: RangeFetch, heads: Sequence[int]) -> RangeFetch:
    uses = tuple(FrameUse(use.frame, tuple(_behind(w, heads[w.output]) for w in use.writes)) for use in fetch.frames)
    return RangeFetch(fetch.pack, fetch.start, fetch.length, uses)


def _behind(write: Write, head: int) -> Write:
    return Write(write.output, write.offset + head, write.start, write.end)
