"""Which file a loader means."""

from __future__ import annotations

from pathlib import Path

from dr_lib.errors import IntegrityError


def the_one(directory: Path, *endings: str) -> Path:
    """The only file below `directory` that ends so; `IntegrityError` naming what there is instead."""
    found = sorted(path for path in directory.rglob("*") if path.suffix in endings and path.is_file())
    if len(found) != 1:
        names = ", ".join(path.name for path in found[:5]) or "none"
        raise IntegrityError(f"missing file: one file ending in {' or '.join(endings)} is wanted, there is {names}")
    return found[0]
