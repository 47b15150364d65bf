"""Writes dr_lib/kit/decoders.txt: the newest wheels that the recovery kit may carry, for each Python and machine."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from dr_lib.kit.decoders import LIST, MACHINES, Group, download

STABLE = ("cryptography", "pyrage", "typing_extensions")
"""One wheel serves every Python from 3.10 on (abi3, or pure)."""
EACH = ("blake3<1.0.11", "cffi")
"""blake3 1.0.11 has no wheel for Python 3.10."""
ZSTD = "backports.zstd"
"""Python 3.14 has it built in."""
HEAD = "# python machine wheel sha256 bytes (made by tools/kit_lock.py)\n"


def wanted() -> dict[Group, tuple[str, ...]]:
    """The packages of each group."""
    found: dict[Group, tuple[str, ...]] = {}
    for machine in MACHINES:
        for version in ("310", "311", "312", "313", "314"):
            stable = STABLE if version == "310" else ()
            found[Group(version, machine)] = (*stable, *EACH, *((ZSTD,) if version < "314" else ()))
    return found


def main() -> None:
    """Ask the package index, and write the list."""
    lines = [HEAD]
    for group, packages in wanted().items():
        with tempfile.TemporaryDirectory() as folder:
            download(group, packages, Path(folder))
            for path in sorted(Path(folder).iterdir()):
                sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
                lines.append(f"{group.python} {group.machine} {path.name} {sha256} {path.stat().st_size}\n")
    LIST.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
