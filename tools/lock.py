"""Resolve requirements.in and requirements-dev.in afresh and write the two locks beside them.

Only pip's resolver is used, in a throw-away environment; nothing is installed. requirements-dev.txt holds what
comes on top of requirements.txt, so the two are installed together.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Made by `make lock` from {source} for Python 3.11 on Linux; do not edit.\n"
# GPU wheels: torch asks for the ones that fit where it needs them, so a lock that names them would only do harm.
ACCELERATOR = re.compile(r"^(nvidia-|triton$|pytorch-triton|cuda-)")


def main() -> int:
    """Write both locks; a resolution that fails leaves them as they are."""
    with tempfile.TemporaryDirectory() as scratch:
        python = fresh_python(Path(scratch) / "venv")
        runtime = resolve(python, Path(scratch), ["-r", "requirements.in"])
        pins = Path(scratch) / "runtime.txt"
        pins.write_text(as_lines(runtime))
        both = resolve(python, Path(scratch), ["-r", "requirements.in", "-r", "requirements-dev.in", "-c", str(pins)])
    extra = {name: version for name, version in both.items() if name not in runtime}
    write("requirements.txt", "requirements.in", runtime)
    write("requirements-dev.txt", "requirements-dev.in", extra)
    return 0


def fresh_python(folder: Path) -> str:
    """The interpreter of a new environment whose pip is current."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--upgrade", "pip"], check=True, cwd=ROOT)
    return python


def resolve(python: str, scratch: Path, arguments: list[str]) -> dict[str, str]:
    """Name to exact version of everything that pip would install for `arguments`."""
    report = scratch / "report.json"
    command = [python, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report", str(report)]
    subprocess.run([*command, *arguments], check=True, cwd=ROOT)
    found = [item["metadata"] for item in json.loads(report.read_text())["install"]]
    # A local version (`+cpu`) names one builder's variant, which other indexes do not have.
    pins = {normalized(item["name"]): str(item["version"]).partition("+")[0] for item in found}
    return {name: version for name, version in sorted(pins.items()) if not ACCELERATOR.match(name)}


def normalized(name: str) -> str:
    """A project name as the package index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def as_lines(pins: dict[str, str]) -> str:
    """One `name==version` a line."""
    return "".join(f"{name}=={version}\n" for name, version in pins.items())


def write(lock: str, source: str, pins: dict[str, str]) -> None:
    """Replace one lock."""
    (ROOT / lock).write_text(HEADER.format(source=source) + as_lines(pins))
    print(f"{lock}: {len(pins)} packages")


if __name__ == "__main__":
    sys.exit(main())
