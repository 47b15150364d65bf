"""The restore itself: exactly the source's tree at that point, or an error and nothing in the target's place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dr_lib.clock import monotonic
from dr_lib.errors import DrError, UsageError
from dr_lib.model.drill import Phase
from dr_lib.model.manifest import Manifest
from dr_lib.policy.failover import ASK_ANOTHER, decisive
from dr_lib.process_memory import growing_only
from dr_lib.progress import SILENT, Progress
from dr_lib.vault.pack_reader import codec_of
from dr_lib.vault.vault import Vault
from dr_lib.workflows.restore.landing import Landing, identity_of
from dr_lib.workflows.restore.output import plan_outputs
from dr_lib.workflows.restore.selection import select
from dr_lib.workflows.restore.staging import Staging, refuse_full, refuse_occupied
from dr_lib.workflows.restore.tensor_file import tensor_tree
from dr_lib.workflows.restore.tree import Tree, tree_of


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. Fetching and decoding overlap: the phase `fetch` is the time in which the link held it up,
    `decode` that in which this machine did. `repairs` says what could not be had from the first region and came from
    another.

    `kept_bytes` of `bytes` had been written by a try before this one and were not fetched again.
    """

    manifest: Manifest
    region: str
    files: int
    bytes: int
    kept_bytes: int
    phases: tuple[Phase, ...]
    repairs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A sound manifest, its bytes, the region that it came from, and what was wrong with those before it."""

    manifest: Manifest
    data: bytes
    region: str
    notes: tuple[str, ...]


def restore(
    vaults: Sequence[Vault],
    asset: str,
    point: str,
    target: Path,
    progress: Progress,
    include: Sequence[str] = (),
    attachments: Path | None = None,
    tensors: Sequence[str] = (),
    *,
    inspect: Callable[[Path], None] = lambda _: None,
) -> Restored:
    """Restore a point into `target`, preferring the vaults in their order, range by range.

    `include` are globs over paths (`*` also matches `/`); without any, everything comes back. `tensors` are names
    (`NAME` or `FILE:NAME`): then one safetensors file with these alone is made. `attachments` is a second target for
    the point's proof files, filled when all else is ready to be published. `inspect` is
    shown the tree before that, and nothing is published when it raises. Raises `Refused` (7) when a target is not
    empty or cannot be, `OutOfSpace` (6), `NotFound` (5) when no path or tensor matches, `IntegrityError` (4) when no
    region's bytes hold. After `StoreUnavailable` (6), an interruption or the death of this process the same call goes
    on where it ended; after any other error nothing is left and a retry starts afresh.
    """
    started = monotonic()
    _refuse_targets(target, attachments)
    with growing_only():
        found = first_manifest(vaults, asset, point)
        tree = _wanted(found.manifest, include, tensors)
        fetches = plan_outputs(tree.outputs)
    refuse_unknown(tree)
    refuse_full(target, tree.size)
    identity = identity_of(found.data, [*include, "", *tensors], fetches)
    planned = monotonic()
    progress.start(tree.size, f"restore {asset}")
    with Staging(target, identity, tree.kinds()) as staging:
        landed = Landing(vaults, found.manifest.summary.packs, tree, fetches, staging, progress).land()
        inspect(staging.root)
        inspected = monotonic()
        if attachments is not None:
            _fill(vaults, found.manifest, attachments)
        filled = monotonic()
        staging.publish()
    progress.finish()
    return Restored(
        manifest=found.manifest,
        region=found.region,
        files=len(tree.outputs),
        bytes=tree.size,
        kept_bytes=landed.kept,
        phases=_phases(
            plan=planned - started,
            # The proof's files are small: what they take is the link's.
            fetch=landed.fetch_s + (filled - inspected),
            decode=landed.fetched_at - planned - landed.fetch_s,
            check=landed.checked_at - landed.fetched_at,
            publish=inspected - landed.checked_at + monotonic() - filled,
        ),
        repairs=tuple(sorted({*found.notes, *landed.repairs})),
    )


def restore_attachments(vaults: Sequence[Vault], asset: str, point: str, target: Path) -> Manifest:
    """Restore a point's proof files alone into `target`; errors as `restore`."""
    manifest = first_manifest(vaults, asset, point).manifest
    _fill(vaults, manifest, target)
    return manifest


def first_manifest(vaults: Sequence[Vault], asset: str, point: str) -> Found:
    """The first sound manifest; what `decisive` says when there is none."""
    notes: list[str] = []
    failed: list[DrError] = []
    for vault in vaults:
        try:
            data = vault.manifest_bytes(asset, point)
            return Found(vault.parse_manifest(asset, point, data), data, vault.region, tuple(notes))
        except ASK_ANOTHER as error:
            notes.append(f"{error.what} [{error.where or vault.region}]")
            failed.append(error)
    raise decisive(failed)


def refuse_unknown(tree: Tree) -> None:
    """`IntegrityError` when this version cannot open one of the frames: before a byte is fetched."""
    frames = (piece.frame for output in tree.outputs for piece in output.pieces)
    for codec, seal in {(frame.codec, frame.seal) for frame in frames}:
        codec_of(codec, seal)


def _wanted(manifest: Manifest, include: Sequence[str], tensors: Sequence[str]) -> Tree:
    if include and tensors:
        raise UsageError("--include names files and --tensor tensors", hint="give one of them")
    return tensor_tree(manifest, tensors) if tensors else tree_of(select(manifest, include))


def _refuse_targets(target: Path, attachments: Path | None) -> None:
    refuse_occupied(target)
    if attachments is None:
        return
    refuse_occupied(attachments)
    if attachments.is_relative_to(target) or target.is_relative_to(attachments):
        raise UsageError("one target lies in the other", where=f"{target}, {attachments}", hint="name two directories")


def _fill(vaults: Sequence[Vault], manifest: Manifest, target: Path) -> None:
    """The proof files of a point, which are small: never gone on with, always fetched whole."""
    root = tuple(replace(d, mode=0o700) for d in manifest.directories if d.path == ".")
    tree = tree_of(replace(manifest, files=manifest.attachments, links=(), directories=root))
    with Staging(target) as staging:
        Landing(vaults, manifest.summary.packs, tree, plan_outputs(tree.outputs), staging, SILENT).land()
        staging.publish()


def _phases(**seconds: float) -> tuple[Phase, ...]:
    return tuple(Phase(name, max(0.0, length)) for name, length in seconds.items())
