"""`drctl` as a person runs it: a process of its own, its exit code and its JSON document."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dr_lib.demo.seaweed import SeaweedRegion


@dataclass
class Drctl:
    """A command line in `folder`, whose `dr.yaml` it reads; `environ` holds the regions' credentials."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def credentials(self, prefix: str, region: SeaweedRegion) -> None:
        """Make `credentials: env:<prefix>` open `region`."""
        self.environ |= {f"{prefix}_ACCESS_KEY_ID": region.access_key}
        self.environ |= {f"{prefix}_SECRET_ACCESS_KEY": region.secret_key}

    def __call__(self, *arguments: str) -> tuple[int, Any]:
        """Exit code and document of `drctl --json …`."""
        done = self.run("--json", *arguments)
        return done.returncode, json.loads(done.stdout)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The finished process of `drctl …`."""
        command = [sys.executable, "-m", "dr_lib.cli", *arguments]
        environ = dict(os.environ, DR_CONFIG=str(self.folder / "dr.yaml"), **self.environ)
        return subprocess.run(
            command, env=environ, cwd=self.folder, capture_output=True, text=True, check=False, timeout=120
        )
