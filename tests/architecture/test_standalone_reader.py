"""The format outlives the program only if its reader needs nothing of it, and is short enough to be read."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

READER = Path(__file__).resolve().parents[2] / "dr_lib" / "format" / "reader.py"
DECODERS = {"blake3", "cryptography", "pyrage", "zstandard"}


def imported(tree: ast.AST) -> Iterator[str]:
    """Every package that is imported anywhere; a decoder that is asked for by a name written out is one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "decoder":
            yield ast.literal_eval(node.args[0])


def test_it_is_shorter_than_300_lines():
    assert len(READER.read_text().splitlines()) < 300


def test_it_needs_the_standard_library_and_the_named_decoders():
    source = READER.read_text()
    foreign = {name.partition(".")[0] for name in imported(ast.parse(source))} - sys.stdlib_module_names
    assert foreign == DECODERS
    assert all(name in source.partition("from __future__")[0] for name in DECODERS)
