"""Renames and small files that outlive a crash, once the call has returned."""

from __future__ import annotations

import os
from pathlib import Path

from dr_lib.errors import Refused


def rename(old: Path, new: Path) -> None:
    """Rename within one file system, durably. `Refused` (7) where the system does not let us."""
    try:
        old.rename(new)
        for folder in {old.parent, new.parent}:
            sync_directory(folder)
    except OSError as error:
        hint = "it must be a plain directory that this user may rename, and no mount point"
        raise Refused(f"this cannot be taken aside: {error.strerror}", where=str(old), hint=hint) from error


def write(path: Path, data: bytes) -> None:
    """Create or replace a private file (mode 0600) atomically; readers see the old, the new, or none."""
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
