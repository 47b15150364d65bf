"""The set-up takes a Python 3.11 that can make environments, and says plainly what to install where there is none."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "python.sh"
PYTHON = """#!/bin/sh
case "$*" in
*version_info*) echo {version} ;;
*ensurepip*) exit {without_venv} ;;
-V) echo "Python {version}.9" ;;
esac
"""


def choose(folder: Path, **pythons: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """Source the script where only the given interpreters are on the path."""
    for name, facts in pythons.items():
        program = folder / name.replace("_", ".")
        program.write_text(PYTHON.format(**{"without_venv": 0, **facts}))
        program.chmod(0o755)
    command = [shutil.which("bash"), "-euo", "pipefail", "-c", f'source "{SCRIPT}"; echo "$PYTHON"']
    return subprocess.run(command, env={"PATH": str(folder)}, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("name", ["python3_11", "python3", "python"])
def test_a_fitting_python_is_found_whatever_its_name(tmp_path, name):
    result = choose(tmp_path, **{name: {"version": "3.11"}})
    assert (result.returncode, result.stdout) == (0, f"{name.replace('_', '.')}\n")


def test_python_3_11_is_preferred_to_a_newer_default(tmp_path):
    assert choose(tmp_path, python3={"version": "3.13"}, python3_11={"version": "3.11"}).stdout == "python3.11\n"


@pytest.mark.parametrize("version", ["3.9", "3.13"])
def test_another_version_is_named_with_what_is_needed(tmp_path, version):
    result = choose(tmp_path, python3={"version": version})
    assert result.returncode == 2
    assert f"Python 3.11 is needed; python3 here is Python {version}.9" in result.stderr


def test_no_python_at_all_is_said(tmp_path):
    result = choose(tmp_path)
    assert result.returncode == 2
    assert "Python 3.11 is needed; python3 here is missing" in result.stderr


def test_a_python_without_venv_names_the_package(tmp_path):
    result = choose(tmp_path, python3={"version": "3.11", "without_venv": 1})
    assert result.returncode == 2
    assert "cannot make environments: its venv module is missing" in result.stderr
    assert "apt install python3.11-venv" in result.stderr
