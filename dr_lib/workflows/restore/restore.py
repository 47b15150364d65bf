"""The restore itself: exactly the source's tree at that point, or an error and nothing in the target's place."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dr_lib.clock import monotonic
from dr_lib.errors import DrError, NotFound, UsageError
from dr_lib.model.drill import Phase
from dr_lib.model.manifest import Manifest
from dr_lib.policy.failover import ASK_ANOTHER, decisive
from dr_lib.progress import SILENT, Progress
from dr_lib.vault.pack_reader import codec_of
from dr_lib.vault.vault import Vault
from dr_lib.workflows.restore.fetch import fetch_files
from dr_lib.workflows.restore.staging import Staging, refuse_full, refuse_occupied
from dr_lib.workflows.restore.tree import check_files, finish_tree, make_directories


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. `repairs` says what could not be had from the first region and came from another."""

    manifest: Manifest
    region: str
    files: int
    bytes: int
    phases: tuple[Phase, ...]
    repairs: tuple[str, ...]


def restore(
    vaults: Sequence[Vault],
    asset: str,
    point: str,
    target: Path,
    progress: Progress,
    include: Sequence[str] = (),
    attachments: Path | None = None,
    *,
    inspect: Callable[[Path], None] = lambda _: None,
) -> Restored:
    """Restore a point into `target`, preferring the vaults in their order, range by range.

    `include` are globs over paths (`*` also matches `/`); without any, everything comes back. `attachments` is a
    second target for the point's proof files, filled when all else is ready to be published. `inspect` is shown the
    tree before that, and nothing is published when it raises. Raises `Refused` (7) when
    a target is not empty or cannot be, `OutOfSpace` (6), `NotFound` (5) when no path matches, `IntegrityError` (4) when
    no region's bytes hold. A retry starts afresh.
    """
    started = monotonic()
    _refuse_targets(target, attachments)
    region, manifest, notes = _manifest(vaults, asset, point)
    wanted = select(manifest, include)
    for codec, seal in {(frame.codec, frame.seal) for file in wanted.files for frame in file.frames}:
        codec_of(codec, seal)
    refuse_full(target, sum(file.size for file in wanted.files))
    planned = monotonic()
    with Staging(target) as staging:
        make_directories(staging.root, wanted.directories)
        progress.start(sum(file.size for file in wanted.files), f"restore {asset}")
        repairs = fetch_files(vaults, manifest.summary.packs, wanted.files, staging.root, progress)
        fetched = monotonic()
        check_files(staging.root, wanted.files)
        checked = monotonic()
        finish_tree(staging.root, wanted.files, wanted.links, wanted.directories)
        inspect(staging.root)
        if attachments is not None:
            _fill(vaults, _attachments_tree(manifest), attachments, SILENT)
        staging.publish()
    progress.finish()
    moments = (started, planned, fetched, checked, monotonic())
    return Restored(
        manifest=manifest,
        region=region,
        files=len(wanted.files),
        bytes=sum(file.size for file in wanted.files),
        phases=_phases(("plan", "fetch", "check", "publish"), moments),
        repairs=tuple(sorted({*notes, *repairs.notes})),
    )


def restore_attachments(vaults: Sequence[Vault], asset: str, point: str, target: Path) -> Manifest:
    """Restore a point's proof files alone into `target`; errors as `restore`."""
    _, manifest, _ = _manifest(vaults, asset, point)
    _fill(vaults, _attachments_tree(manifest), target, SILENT)
    return manifest


def _refuse_targets(target: Path, attachments: Path | None) -> None:
    refuse_occupied(target)
    if attachments is None:
        return
    refuse_occupied(attachments)
    if attachments.is_relative_to(target) or target.is_relative_to(attachments):
        raise UsageError("one target lies in the other", where=f"{target}, {attachments}", hint="name two directories")


def select(manifest: Manifest, include: Sequence[str]) -> Manifest:
    """The part of a manifest that the globs name, and the directories that lead to it; `NotFound` for none."""
    if not include:
        return manifest
    files = tuple(f for f in manifest.files if _matches(f.path, include))
    links = tuple(link for link in manifest.links if _matches(link.path, include))
    folders = {d.path for d in manifest.directories if d.path != "." and _matches(d.path, include)}
    if not (files or links or folders):
        raise NotFound(
            f"nothing in {manifest.summary.asset}/{manifest.summary.point} matches {', '.join(include)}",
            hint="patterns are compared with whole paths, as in 'tokenizer*' or '1_Pooling/*'",
        )
    needed = {"."}
    for path in (*folders, *(f.path for f in files), *(link.path for link in links)):
        needed.update(_ancestors(path))
    directories = tuple(d for d in manifest.directories if d.path in needed | folders)
    return replace(manifest, files=files, links=links, directories=directories)


def _manifest(vaults: Sequence[Vault], asset: str, point: str) -> tuple[str, Manifest, list[str]]:
    """The first sound manifest, the region that it came from, and what was wrong with those before it."""
    notes: list[str] = []
    failed: list[DrError] = []
    for vault in vaults:
        try:
            return vault.region, vault.manifest(asset, point), notes
        except ASK_ANOTHER as error:
            notes.append(f"{error.what} [{error.where or vault.region}]")
            failed.append(error)
    raise decisive(failed)


def _attachments_tree(manifest: Manifest) -> Manifest:
    root = tuple(replace(d, mode=0o700) for d in manifest.directories if d.path == ".")
    return replace(manifest, files=manifest.attachments, links=(), directories=root)


def _fill(vaults: Sequence[Vault], tree: Manifest, target: Path, progress: Progress) -> None:
    with Staging(target) as staging:
        fetch_files(vaults, tree.summary.packs, tree.files, staging.root, progress)
        check_files(staging.root, tree.files)
        finish_tree(staging.root, tree.files, tree.links, tree.directories)
        staging.publish()


def _phases(names: Sequence[str], moments: Sequence[float]) -> tuple[Phase, ...]:
    ends = zip(names, moments, moments[1:], strict=False)
    return tuple(Phase(name, end - start) for name, start, end in ends)


def _matches(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def _ancestors(path: str) -> list[str]:
    found = []
    while path := posixpath.dirname(path):
        found.append(path)
    return found
