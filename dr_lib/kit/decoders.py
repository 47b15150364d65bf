"""The wheels that the kit carries: which they are stands in decoders.txt, with the digest of each."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dr_lib.errors import IntegrityError, StoreUnavailable
from dr_lib.progress import SILENT, Progress

LIST: Final = Path(__file__).with_name("decoders.txt")
MACHINES: Final = ("x86_64", "aarch64")
PLATFORMS: Final = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
_PATIENCE_S: Final = 300


@dataclass(frozen=True, slots=True)
class Group:
    """What one Python on one machine loads: `python` as in a wheel's tag (`311`)."""

    python: str
    machine: str


@dataclass(frozen=True, slots=True)
class Wheel:
    """One file of the package index, by its name, its SHA-256 in hex and its size in bytes."""

    group: Group
    name: str
    sha256: str
    size: int

    @property
    def requirement(self) -> str:
        """As pip takes it: this version, and this file alone."""
        package, version = self.name.split("-")[:2]
        return f"{package}=={version} --hash=sha256:{self.sha256}"


def wheels() -> list[Wheel]:
    """All of them, in the order of the list."""
    rows = (line.split() for line in LIST.read_text(encoding="utf-8").splitlines() if line and line[0] != "#")
    return [Wheel(Group(python, machine), name, sha256, int(size)) for python, machine, name, sha256, size in rows]


def missing(folder: Path) -> list[Wheel]:
    """Those that are not in `folder`, or not whole there."""
    return [wheel for wheel in wheels() if not _is_whole(folder / wheel.name, wheel.sha256)]


def fetch(folder: Path, progress: Progress = SILENT) -> None:
    """Bring what is missing into `folder` from pip's package index. Safe to repeat; a file is there whole or not there.

    `StoreUnavailable` (6) where the index does not answer, `IntegrityError` (4) where it gives other bytes.
    """
    wanted = missing(folder)
    folder.mkdir(parents=True, exist_ok=True)
    progress.start(sum(wheel.size for wheel in wanted), "wheels of the recovery kit")
    for group in sorted({wheel.group for wheel in wanted}, key=lambda one: (one.python, one.machine)):
        found = [wheel for wheel in wanted if wheel.group == group]
        with tempfile.TemporaryDirectory(dir=folder) as inside:
            _download(group, [wheel.requirement for wheel in found], Path(inside))
            for wheel in found:
                _take(Path(inside) / wheel.name, folder / wheel.name, wheel.sha256)
        progress.advance(sum(wheel.size for wheel in found))
    progress.finish()


def download(group: Group, requirements: Sequence[str], into: Path) -> None:
    """Let pip fetch the newest wheels that a group can load, whatever this machine is."""
    given = [arg for platform in PLATFORMS for arg in ("--platform", f"{platform}_{group.machine}")]
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"),
        *("--only-binary=:all:", "--python-version", group.python, "--implementation", "cp", "--retries", "1"),
        *(*given, "--abi", f"cp{group.python}", "--abi", "abi3", "--abi", "none", "--dest", str(into), *requirements),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise StoreUnavailable(f"pip did not answer within {_PATIENCE_S} s", where="the package index") from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
        kind = IntegrityError if "DO NOT MATCH THE HASHES" in done.stderr else StoreUnavailable
        hint = "run it again where the package index can be reached; the kit is the same wherever it is made"
        raise kind(f"the wheels for Python {group.python} on {group.machine} did not come: {said[-1]}", hint=hint)


def _download(group: Group, requirements: Sequence[str], into: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", dir=into) as lines:
        lines.write("\n".join(requirements))
        lines.flush()
        download(group, ["--require-hashes", "--requirement", lines.name], into)


def _take(found: Path, target: Path, sha256: str) -> None:
    if not _is_whole(found, sha256):
        raise IntegrityError("pip brought another file than the one that is listed", where=target.name)
    found.rename(target)


def _is_whole(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256
