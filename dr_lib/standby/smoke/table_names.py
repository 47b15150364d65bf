"""Which files are tables, by their names alone: asked before anything that can read tables is loaded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

SUFFIXES: Final = (".parquet", ".csv")


def is_table(name: str) -> bool:
    """Whether a file of that name is read as a table."""
    return Path(name).suffix.lower() in SUFFIXES


def holds_tables(directory: Path) -> bool:
    """Whether any file below `directory` is one."""
    return any(is_table(name) for _, _, names in os.walk(directory) for name in names)
