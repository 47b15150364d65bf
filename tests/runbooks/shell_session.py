"""One shell session, block by block: variables, exports and the directory stay from one block to the next."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = "120"
SECONDS = 120
# Names that bash owns; setting them again is an error or means nothing.
_BASH_OWNS = "BASH.*|DIRSTACK|EUID|FUNCNAME|GROUPS|PIPESTATUS|PPID|SHELLOPTS|UID|_"
_PROGRAM = """
set -euo pipefail
. {state}
trap '{{ declare -p $(compgen -A variable | grep -vxE "{owned}"); printf "cd %q\\n" "$PWD"; }} >{state}' EXIT
. {block}
"""


@dataclass
class ShellSession:
    """A session that starts in `folder` with a bare environment; `drctl` is on its path, with the code of this tree."""

    folder: Path
    ran: int = 0
    _files: Path = field(init=False)

    def __post_init__(self) -> None:
        self._files = self.folder / ".session"
        self._files.mkdir()
        (self._files / "state").touch()

    def run(self, commands: str) -> tuple[int, str]:
        """Exit code of a block under `set -eu`, and what it said on both streams in order."""
        self.ran += 1
        block = self._files / f"block-{self.ran}.sh"
        block.write_text(commands)
        program = _PROGRAM.format(state="./.session/state", block=f"{_quoted(block)}", owned=_BASH_OWNS)
        done = subprocess.run(
            ["bash", "-c", program.replace("./.session/state", _quoted(self._files / "state"))],
            cwd=self.folder,
            env=self._environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return done.returncode, done.stdout

    def _environ(self) -> dict[str, str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        code = {"PYTHONPATH": str(ROOT)}
        return {"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8", "COLUMNS": COLUMNS} | code


def _quoted(path: Path) -> str:
    return f'"{path}"'
