"""Regions that are directories of this machine, and really lost when they are not there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

_MOVE = "import os, sys; os.path.exists(sys.argv[1]) and os.rename(sys.argv[1], sys.argv[2])"


def regions_on_disk(home: Path, *names: str) -> dict[str, dict[str, Any]]:
    """`regions:` of a dr.yaml: a directory below `home` each, with the commands that lose it and bring it back."""
    return {name: {"url": f"file://{home / name}", "rehearsal": _rehearsal(home / name)} for name in names}


def _rehearsal(region: Path) -> dict[str, Any]:
    gone = region.with_name(f"{region.name}.lost")
    commands = {"lose": (region, gone), "return": (gone, region)}
    return {name: [sys.executable, "-c", _MOVE, *map(str, ends)] for name, ends in commands.items()}
