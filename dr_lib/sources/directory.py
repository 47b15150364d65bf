"""A directory tree as a source: listed without following a link, read without trusting that it stood still."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dr_lib.errors import NotFound, SourceUnstable, UsageError
from dr_lib.model.manifest import DirectoryEntry, LinkEntry
from dr_lib.policy.links import leads_outside
from dr_lib.sources.base import SourceFile, SourceListing
from dr_lib.sources.offenders import unstable

KEPT_MODE = 0o1777
"""The permission bits that are kept; setuid and setgid are not: see `DirectorySource`."""
SPECIAL = {stat.S_IFSOCK: "socket", stat.S_IFIFO: "fifo", stat.S_IFBLK: "device", stat.S_IFCHR: "device"}


@dataclass
class _Found:
    """What one walk collects; `refused` and `unreadable` hold one printable line an offender.

    Root (`as_root`) may read everything, but for what a server refuses: that shows when it is read.
    """

    as_root: bool
    files: list[SourceFile] = field(default_factory=list)
    directories: list[DirectoryEntry] = field(default_factory=list)
    links: list[LinkEntry] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


class DirectorySource:
    """The tree below `root`; safe to use from many threads and after a fork, since it holds nothing open.

    `root` may itself be a link; no link below it is followed. Names that are not UTF-8 come as surrogate escapes,
    whatever the locale. Of a mode, permissions and the sticky bit are kept: setuid and setgid are not, because a
    restore often runs as another user (root, say), for whom they would mean a privilege that nobody granted, and no
    model or dataset needs them. A hard link counts as a file of its own.
    """

    def __init__(self, root: Path) -> None:
        """Nothing is opened until it is needed."""
        self._root = os.fsencode(root.absolute())
        self._url = root.absolute().as_uri()

    @property
    def root(self) -> Path:
        """The directory itself, absolute."""
        return Path(os.fsdecode(self._root))

    @property
    def url(self) -> str:
        """`file://` and the percent-encoded absolute path."""
        return self._url

    def listing(self) -> SourceListing:
        """As in `Source`. Every offender is collected before the listing is refused, the first five are named.

        Raises `UsageError` when the root is a file, and `SourceUnstable` for links that lead outside, for sockets,
        fifos and devices, for what this user may not read, and for what vanishes meanwhile.
        """
        found = _Found(os.geteuid() == 0)
        pending = [(b".", self._root_facts())]
        while pending:
            path, facts = pending.pop()
            found.directories.append(DirectoryEntry(_text(path), facts.st_mode & KEPT_MODE, facts.st_mtime_ns))
            for child, child_facts in self._children(path, found):
                if stat.S_ISDIR(child_facts.st_mode):
                    pending.append((child, child_facts))
                else:
                    self._note(child, child_facts, found)
        self._refuse(found)
        return SourceListing(
            tuple(sorted(found.files, key=lambda entry: entry.path)),
            tuple(sorted(found.directories, key=lambda entry: entry.path)),
            tuple(sorted(found.links, key=lambda entry: entry.path)),
        )

    def read(self, file: SourceFile, offset: int, length: int) -> bytes:
        """As in `Source`. The facts are compared after the bytes were read, so a write during the read shows."""
        try:
            handle = self._open(file)
            try:
                data = _pread(handle, offset, length)
                facts = os.fstat(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise self._moved(file, os.strerror(error.errno or 0)) from error
        if (facts.st_size, facts.st_mtime_ns, _tag(facts)) != (file.size, file.mtime_ns, file.tag):
            raise self._moved(file, "it is not the file that was listed")
        if len(data) != length:
            raise self._moved(file, f"it ends before byte {offset + length}")
        return data

    def _root_facts(self) -> os.stat_result:
        hint = "name the directory that holds the asset in the asset's `source`"
        try:
            facts = os.stat(self._root)  # noqa: PTH116 - bytes, for names of any encoding
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFound("the source does not exist", where=self._url, hint=hint) from error
        except OSError as error:
            raise self._unreadable([f"the source itself: {error.strerror}"]) from error
        if not stat.S_ISDIR(facts.st_mode):
            raise UsageError("the source is no directory", where=self._url, hint=hint)
        return facts

    def _children(self, path: bytes, found: _Found) -> Iterator[tuple[bytes, os.stat_result]]:
        try:
            with os.scandir(os.path.join(self._root, path)) as entries:  # noqa: PTH118 - bytes again
                for entry in entries:
                    child = entry.name if path == b"." else path + b"/" + entry.name
                    yield child, entry.stat(follow_symlinks=False)
        except OSError as error:
            found.unreadable.append(_denial(path, "listed and entered", error.strerror))

    def _note(self, path: bytes, facts: os.stat_result, found: _Found) -> None:
        name, kind = _text(path), stat.S_IFMT(facts.st_mode)
        if kind == stat.S_IFLNK:
            self._note_link(path, facts, found)
        elif kind != stat.S_IFREG:
            found.refused.append(f"{name!r} is a {SPECIAL.get(kind, 'special file')}")
        elif not (found.as_root or self._may_read(path)):
            found.unreadable.append(_denial(path, "read", f"mode {facts.st_mode & 0o7777:04o}, owner {facts.st_uid}"))
        else:
            mode = facts.st_mode & KEPT_MODE
            found.files.append(SourceFile(name, mode, facts.st_mtime_ns, facts.st_size, _tag(facts)))

    def _may_read(self, path: bytes) -> bool:
        return os.access(os.path.join(self._root, path), os.R_OK, effective_ids=True)  # noqa: PTH118

    def _note_link(self, path: bytes, facts: os.stat_result, found: _Found) -> None:
        try:
            target = os.readlink(os.path.join(self._root, path))  # noqa: PTH115, PTH118
        except OSError as error:
            found.unreadable.append(_denial(path, "read", error.strerror))
        else:
            found.links.append(LinkEntry(_text(path), _text(target), facts.st_mtime_ns))

    def _refuse(self, found: _Found) -> None:
        if found.unreadable:
            raise self._unreadable(found.unreadable)
        if found.refused:
            hint = "move them out of the asset's directory"
            raise unstable("there are files that no backup can hold", found.refused, url=self._url, hint=hint)
        targets = {link.path: link.target for link in found.links}
        outside = [f"{path!r} -> {target!r}" for path, target in targets.items() if leads_outside(path, targets)]
        if outside:
            hint = "copy the files in, or link to them inside the tree by a relative path"
            raise unstable("there are links that lead out of the tree", sorted(outside), url=self._url, hint=hint)

    def _open(self, file: SourceFile) -> int:
        """Open part by part below the root, so that no directory swapped for a link is followed meanwhile."""
        *parents, name = os.fsencode(self._root), *file.path.encode("utf-8", "surrogateescape").split(b"/")
        handle = os.open(parents[0], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            for part in parents[1:]:
                handle, outer = os.open(part, flags | os.O_DIRECTORY, dir_fd=handle), handle
                os.close(outer)
            # A fifo put in the file's place would otherwise wait for a writer.
            return os.open(name, flags | os.O_NONBLOCK, dir_fd=handle)
        finally:
            os.close(handle)

    def _moved(self, file: SourceFile, how: str) -> SourceUnstable:
        hint = "let the writer finish, then back up again"
        return SourceUnstable(f"{file.path!r} cannot be read as it was listed: {how}", where=self._url, hint=hint)

    def _unreadable(self, offenders: list[str]) -> SourceUnstable:
        hint = "let the backup's user read files, and read and enter directories; let writers finish"
        return unstable("there is something that cannot be read", sorted(offenders), url=self._url, hint=hint)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _tag(facts: os.stat_result) -> str:
    """The inode and its last change of any kind: unlike the modification time, nobody can set that back."""
    return f"{facts.st_ino}:{facts.st_ctime_ns}"


def _denial(path: bytes, action: str, reason: str | None) -> str:
    return f"{_text(path)!r} cannot be {action}: {reason}"


def _pread(handle: int, offset: int, length: int) -> bytes:
    """Up to `length` bytes, fewer only at the end of the file."""
    parts: list[bytes] = []
    while length > 0 and (part := os.pread(handle, length, offset)):
        parts.append(part)
        offset, length = offset + len(part), length - len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
