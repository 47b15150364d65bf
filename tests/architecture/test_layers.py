"""The layers of docs/architecture.md hold, and a breach of them would be seen."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "from importlinter.cli import lint_imports_command as check; check()"
LINT = [sys.executable, "-c", PROGRAM, "--no-logo", "--no-cache"]
OPEN_TO_AIRFLOW = (
    "dr_lib.runtime",
    "dr_lib.config",
    "dr_lib.model",
    "dr_lib.errors",
    "dr_lib.progress",
    "dr_lib.storage.credentials",
    "dr_lib.telemetry",
)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [*LINT, "--config", str(folder / "pyproject.toml")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_every_layer_imports_only_what_stands_below_it():
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_package_of_the_library_stands_in_a_layer():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    placed = {name.strip(" ()") for layer in layers for name in layer.split("|")}
    found = {f"dr_lib.{p.name.removesuffix('.py')}" for p in (ROOT / "dr_lib").iterdir() if is_code(p)}
    assert found - placed == {"dr_lib.testing"}


def test_airflow_code_calls_the_facade_and_names_facts_but_nothing_between():
    files = [*(ROOT / "plugins").rglob("*.py"), *(ROOT / "dags").rglob("*.py")]
    used = {module for path in files for module in imported(path) if module.split(".")[0] == "dr_lib"}
    assert "dr_lib.runtime" in used
    assert {module for module in used if not module.startswith(OPEN_TO_AIRFLOW)} == set()


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    direct = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return direct | {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}


def is_code(path: Path) -> bool:
    return (path.suffix == ".py" and path.name != "__init__.py") or (path / "__init__.py").exists()


def test_the_library_loads_without_airflow_and_without_torch():
    """Checked in a process of its own, where the import would really happen."""
    program = "import sys, dr_lib.runtime, dr_lib.cli.main; print(sorted({'airflow', 'torch'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert result.stdout.strip() == "[]"
