"""The `age` command, which shares no code with ours."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

AgeCommand = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def age_command(tmp_path: Path) -> AgeCommand:
    """Runs `age` with the given arguments and standard input."""
    found = shutil.which("age")
    if found is None:
        pytest.skip("the command age is missing (apt-get install age)")

    def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [found, *arguments], input=given, cwd=tmp_path, capture_output=True, timeout=60, check=False
        )

    return run
