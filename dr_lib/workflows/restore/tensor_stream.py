"""Tensors streamed from a point to whoever holds memory for them, without a file between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from blake3 import blake3

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.model.manifest import Manifest, TensorEntry
from dr_lib.policy.restore_plan import RangeFetch, plan_fetches
from dr_lib.progress import Progress
from dr_lib.vault.vault import Vault
from dr_lib.workflows.restore.fetch import fetch_all
from dr_lib.workflows.restore.tensor_choice import choose_tensors, pieces_of, unique_names

CHECKERS = 2
Choice = Callable[[Manifest], tuple[TensorEntry, ...]]


class Receiver(Protocol):
    """Memory for tensors. Its methods but `begin` are called by several threads, for different bytes."""

    def begin(self, tensors: Sequence[TensorEntry]) -> None:
        """Make room for these; from now on a tensor is its number here. Refuse what cannot be held."""
        ...

    def put(self, tensor: int, offset: int, data: memoryview) -> None:
        """Bytes of a tensor from `offset` on; `data` is only good during the call."""
        ...

    def bytes_of(self, tensor: int) -> Iterator[memoryview]:
        """After all was put: the bytes of a tensor as they lie there, in order, each good until the next."""
        ...


@dataclass(frozen=True, slots=True)
class _Putting:
    receiver: Receiver

    def take(self, fetch: RangeFetch, raws: Iterator[bytes]) -> None:
        """See `Sink.take`."""
        for use, raw in zip(fetch.frames, raws, strict=True):
            view = memoryview(raw)
            for write in use.writes:
                self.receiver.put(write.output, write.offset, view[write.start : write.end])


def by_name(names: Sequence[str] | None, file: str | None) -> Choice:
    """Chooses the tensors of those names (all, when None), of one file when it is named; see `choose_tensors`."""

    def choose(manifest: Manifest) -> tuple[TensorEntry, ...]:
        if file is not None and all(entry.path != file for entry in manifest.files):
            paths = sorted({tensor.file for tensor in manifest.tensors})
            hint = f"files with tensors: {', '.join(paths) or 'none'}"
            raise NotFound(f"no file {file!r} is in {manifest.summary.asset}/{manifest.summary.point}", hint=hint)
        found = tuple(t for t in manifest.tensors if file in (None, t.file))
        if names is None:
            return unique_names(found)
        return choose_tensors(manifest, [f"{file}:{name}" if file else name for name in names])

    return choose


def stream_tensors(
    vaults: Sequence[Vault], manifest: Manifest, choose: Choice, receiver: Receiver, progress: Progress
) -> tuple[str, ...]:
    """Put the chosen tensors into `receiver`, each proven by its digest where it then lies; gives the repairs.

    Memory besides the receiver's as `fetch_all`; the vaults are asked in their order. `IntegrityError` (4) when no
    region's bytes hold, or when what lies in the receiver is not what was backed up.
    """
    tensors = choose(manifest)
    files = {entry.path: entry for entry in manifest.files}
    fetches = plan_fetches([pieces_of(files, tensor) for tensor in tensors])
    progress.start(sum(tensor.length for tensor in tensors), f"load {manifest.summary.asset}")
    receiver.begin(tensors)
    repairs = fetch_all(
        vaults, manifest.summary.packs, fetches, _Putting(receiver), lambda fetch: progress.advance(fetch.wanted)
    )
    with ThreadPoolExecutor(CHECKERS) as pool:
        list(pool.map(lambda item: _check(receiver, *item), enumerate(tensors)))
    progress.finish()
    return tuple(sorted(repairs.notes))


def _check(receiver: Receiver, number: int, tensor: TensorEntry) -> None:
    hasher = blake3()
    for data in receiver.bytes_of(number):
        hasher.update(data)
    if hasher.digest() != tensor.digest:
        what = f"the tensor {tensor.name!r} is not the one that was backed up"
        raise IntegrityError(what, where=tensor.file, hint="check this machine's memory, or the device's")
