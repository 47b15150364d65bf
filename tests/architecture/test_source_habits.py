"""Habits that no linter knows: small files and functions, names that say something, torch kept lazy."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("dr_lib", "plugins", "dags", "tests", "tools", "benchmarks")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
SHIPPED = [p for p in SOURCES if p.relative_to(ROOT).parts[0] in {"dr_lib", "plugins", "dags"}]
LATER = re.compile(r"\b(TODO|FIXME|XXX)\b")
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported_at_load(tree: ast.Module) -> set[str]:
    """Top-level packages that importing the module imports; `TYPE_CHECKING` blocks and functions do not count."""
    direct = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    members = {node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.partition(".")[0] for name in direct | members}


def test_the_sources_are_found():
    assert ROOT / "dr_lib" / "errors.py" in SHIPPED


def test_no_file_is_over_400_lines():
    lengths = {name(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_no_function_is_over_60_lines():
    lengths = {f"{name(path)}:{f.name}": f.end_lineno - f.lineno + 1 for path in SOURCES for f in functions(path)}
    assert {function: length for function, length in lengths.items() if length > 60} == {}


def test_a_module_name_says_what_is_inside():
    assert [name(path) for path in SOURCES if EMPTY_NAMES & set(name(path).removesuffix(".py").split("/"))] == []


def test_sources_look_into_torch_files_without_loading_torch_up_front():
    sources = [path for path in SHIPPED if name(path).startswith("dr_lib/sources/")]
    assert [name(path) for path in sources if "torch" in imported_at_load(ast.parse(path.read_text()))] == []


def test_shipped_code_leaves_nothing_for_later():
    assert [name(path) for path in SHIPPED if LATER.search(path.read_text())] == []
