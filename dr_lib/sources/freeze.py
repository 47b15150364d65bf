"""The moment that a backup describes: a listing of a source in which nothing is half-written and nothing moves."""

from __future__ import annotations

import json
import logging
import posixpath
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from dr_lib.clock import Clock, utc_now
from dr_lib.model.manifest import DirectoryEntry, LinkEntry
from dr_lib.policy.links import LeadsOutside, resolve
from dr_lib.sources.base import Source, SourceFile, SourceListing
from dr_lib.sources.cut_short import cut_short, saves_without_end
from dr_lib.sources.offenders import unstable

UNFINISHED = (".tmp", ".incomplete", ".part", ".partial", ".crdownload", ".download")
"""What downloaders and trainers call files and directories until they are whole."""
INDEX_SUFFIX = ".index.json"
MAX_INDEX_BYTES = 256 << 20
RECENT = timedelta(minutes=1)
"""A writer that is at work has left a trace within this time."""

_log = logging.getLogger(__name__)

_Entry = SourceFile | DirectoryEntry | LinkEntry


def freeze(source: Source, *, clock: Clock = utc_now) -> SourceListing:
    """A listing that held still and misses nothing that it promises.

    It is taken twice where something changed within `RECENT`; a source that rested so long is looked at again by the
    commit alone. Raises `SourceUnstable`, naming the first five offenders and their number, when something is named
    like an unfinished download, when a sharded model's index names shards that are not there, when a file that changed
    within `RECENT` ends before its format says, or when the second listing, taken right after, differs. Raises what
    `source` raises. Files changed in the future (by `clock`) are only logged. A file that has been cut short for longer
    is nobody's save in flight: it is kept as it is.
    Nothing is written; a retry is safe.
    """
    listing = source.listing()
    _refuse_unfinished(source, listing)
    _refuse_incomplete(source, listing)
    _refuse_cut_short(source, listing, clock)
    moved = changes(listing, source.listing()) if _is_recent(listing, clock) else ()
    if moved:
        hint = "wait until nothing writes there, then back up again"
        raise unstable("the source is changing", moved, url=source.url, hint=hint)
    _note_future(source, listing, clock)
    return listing


def _is_recent(listing: SourceListing, clock: Clock) -> bool:
    since = (clock() - RECENT).timestamp() * 1e9
    entries: tuple[_Entry, ...] = (*listing.files, *listing.directories)
    return any(entry.mtime_ns >= since for entry in entries)


def changes(before: SourceListing, after: SourceListing) -> tuple[str, ...]:
    """What differs, one line a path, sorted by path; empty exactly when the listings are equal."""
    old, new = _by_path(before), _by_path(after)
    paths = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
    return tuple(_difference(path, old.get(path), new.get(path)) for path in paths)


def _by_path(listing: SourceListing) -> dict[str, _Entry]:
    entries: tuple[_Entry, ...] = (*listing.files, *listing.directories, *listing.links)
    return {entry.path: entry for entry in entries}


def _difference(path: str, old: _Entry | None, new: _Entry | None) -> str:
    if old is None:
        return f"added {path!r}"
    if new is None:
        return f"removed {path!r}"
    if isinstance(old, SourceFile) and isinstance(new, SourceFile) and old.size != new.size:
        return f"changed {path!r} ({old.size} to {new.size} bytes)"
    return f"changed {path!r}"


def _refuse_unfinished(source: Source, listing: SourceListing) -> None:
    entries: tuple[_Entry, ...] = (*listing.files, *listing.directories)
    names = sorted(repr(entry.path) for entry in entries if entry.path.lower().endswith(UNFINISHED))
    if names:
        hint = "wait until they are whole, or remove what is left of them"
        raise unstable("there is something that is still being written", names, url=source.url, hint=hint)


def _refuse_incomplete(source: Source, listing: SourceListing) -> None:
    absent = [line for path, file in _indexes(listing) for line in _absent_shards(source, listing, path, file)]
    if absent:
        hint = "copy the missing shards in, or remove the index"
        raise unstable("a model is incomplete", absent, url=source.url, hint=hint)


def _refuse_cut_short(source: Source, listing: SourceListing, clock: Clock) -> None:
    now, margin = clock(), RECENT
    first, last = ((moment.timestamp() * 1e9) for moment in (now - margin, now + margin))
    fresh = [file for file in listing.files if first <= file.mtime_ns <= last]
    short = [why for file in fresh if (why := cut_short(file.path, partial(source.read, file), file.size))]
    short += saves_without_end(fresh, listing)
    if short:
        hint = "wait until the writer is done; what is left so for a minute is kept as it is"
        raise unstable("a save is under way", short, url=source.url, hint=hint)


def _indexes(listing: SourceListing) -> Iterator[tuple[str, SourceFile]]:
    """Each path that is named like an index, with the file it leads to: a model cache links to nameless blobs."""
    files = {file.path: file for file in listing.files}
    links = _targets(listing)
    for path in sorted(files.keys() | links.keys()):
        file = files.get(_lands(path, links) or "")
        if path.endswith(INDEX_SUFFIX) and file is not None:
            yield path, file


def _absent_shards(source: Source, listing: SourceListing, path: str, file: SourceFile) -> list[str]:
    present = {file.path for file in listing.files}
    links = _targets(listing)
    return [
        f"{path!r} names {shard!r}, which is not there"
        for shard in _shards(source, path, file)
        if _lands(posixpath.join(posixpath.dirname(path), shard), links) not in present
    ]


def _shards(source: Source, path: str, file: SourceFile) -> list[str]:
    if file.size > MAX_INDEX_BYTES:
        _log.warning("%r is too large for an index of shards and is not looked into", path)
        return []
    try:
        index: Any = json.loads(source.read(file, 0, file.size))
    except (ValueError, RecursionError) as error:
        hint = "wait until it is whole, or give it another name"
        raise unstable("an index is no JSON", [f"{path!r}: {error}"], url=source.url, hint=hint) from error
    named = index.get("weight_map") if isinstance(index, dict) else None
    return sorted({shard for shard in named.values() if isinstance(shard, str)}) if isinstance(named, dict) else []


def _targets(listing: SourceListing) -> dict[str, str]:
    return {link.path: link.target for link in listing.links}


def _lands(path: str, links: Mapping[str, str]) -> str | None:
    try:
        return resolve(path, links)
    except LeadsOutside:
        return None


def _note_future(source: Source, listing: SourceListing, clock: Clock) -> None:
    now_ns = int(clock().timestamp() * 1_000_000_000)
    ahead = [file for file in listing.files if file.mtime_ns > now_ns]
    if ahead:
        _log.warning("%s: %d files were changed in the future, first %r", source.url, len(ahead), ahead[0].path)
