"""The Python packages that the orchestrator ran with, and whether they are here."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

from dr_lib import __version__
from dr_lib.errors import StoreUnavailable

AIRFLOW: Final = "apache-airflow"
OURS: Final = "dr-lib"
_PIN: Final = re.compile(r"([a-z0-9][a-z0-9.-]*)==([A-Za-z0-9.!_-]+)")


def packages() -> dict[str, str]:
    """Version by name, of all that is installed here but this project itself."""
    named = {(one.metadata["Name"] or "").lower().replace("_", "-"): one.version for one in metadata.distributions()}
    return {name: _public(version) for name, version in sorted(named.items()) if name not in ("", OURS)}


def _public(version: str) -> str:
    """Without what names a local build (`2.13.0+cpu`): no index has that, and another machine's build is another."""
    return version.partition("+")[0]


def versions(found: Mapping[str, str]) -> dict[str, str]:
    """What decides whether a database fits a program."""
    here = {"airflow": found.get(AIRFLOW, ""), "python": platform.python_version(), "dr": __version__}
    return here | {"system": platform.platform()}


def requirements(found: Mapping[str, str]) -> str:
    """The packages as pip takes them."""
    return "".join(f"{name}=={version}\n" for name, version in found.items())


def pins(text: str) -> dict[str, str]:
    """The inverse of `requirements`: names with versions, and nothing else that pip would obey."""
    rows = (_PIN.fullmatch(line.strip()) for line in text.splitlines())
    return {row[1]: row[2] for row in rows if row is not None}


def differences(wanted: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """Which packages are missing or of another version, in words."""
    return [
        f"{name} {version}, and {here.get(name, 'nothing')} is here"
        for name, version in wanted.items()
        if here.get(name) != version
    ]


def install(pinned: Mapping[str, str], folder: Path) -> Path:
    """An environment with exactly these packages in `folder`; its Python. Safe to repeat: what is there is kept.

    `StoreUnavailable` (6) where the package index does not give them.
    """
    python = folder / "bin" / "python"
    if not python.exists():
        _run([sys.executable, "-m", "venv", str(folder)], "an environment could not be made")
    lines = folder / "requirements.txt"
    lines.write_text(requirements(pinned), encoding="utf-8")
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _run([*command, "-r", str(lines)], "the packages could not be installed")
    return python


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["it did not say why"]
        hint = "run it again: what was installed is kept; --packages here uses those of this Python"
        raise StoreUnavailable(f"{what}: {said[-1][:300]}", hint=hint)
