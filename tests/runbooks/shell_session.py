"""The session of `drctl runbook` with a bare environment, and what it says kept for comparison."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from dr_lib.cli.bash_session import BashSession

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = "120"
SECONDS = 120


@dataclass
class ShellSession:
    """A session that starts in `folder` with a bare environment; `drctl` is on its path, with the code of this tree."""

    folder: Path
    _session: BashSession = field(init=False)

    def __post_init__(self) -> None:
        self._session = BashSession(self.folder, self._environ())

    def run(self, commands: str) -> tuple[int, str]:
        """Exit code of a block under `set -eu`, and what it said on both streams in order."""
        with tempfile.TemporaryFile() as said:
            code = self._session.run(commands, stdin=subprocess.DEVNULL, output=said, timeout_s=SECONDS)
            said.seek(0)
            return code, said.read().decode()

    def _environ(self) -> dict[str, str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        code = {"PYTHONPATH": str(ROOT)}
        return {"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8", "COLUMNS": COLUMNS} | code
