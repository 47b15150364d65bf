"""Where kits are kept on this machine: made once, signed anew for each vault."""

from __future__ import annotations

import tempfile
from pathlib import Path

from dr_lib.kit.build import build, recipe
from dr_lib.kit.decoders import fetch
from dr_lib.progress import SILENT, Progress


def at_hand(folder: Path) -> bytes | None:
    """The kit of this program, not signed yet, if it was made on this machine before."""
    path = _place(folder)
    return path.read_bytes() if path.is_file() else None


def made(folder: Path, progress: Progress = SILENT) -> bytes:
    """As `at_hand`; made where it is not there, for which missing wheels are fetched (errors as `decoders.fetch`).

    Safe to be killed and to run beside another: the file appears whole.
    """
    found = at_hand(folder)
    if found is not None:
        return found
    fetch(folder / "wheels", progress)
    data = build(folder / "wheels")
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".kit-", delete=False) as partial:  # others may be at it, too
        partial.write(data)
    Path(partial.name).rename(_place(folder))
    return data


def _place(folder: Path) -> Path:
    return folder / f"kit-{recipe()}.zip"
