"""The demo's folder: where everything it starts keeps its files, and the record of what is running.

No secret stands in `state.json`; credentials lie in `secrets.env` and keys in `keys/`, readable by their owner alone.
"""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOME_VARIABLE = "DR_DEMO_HOME"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Paths below one folder. Two demos in two folders do not meet."""

    home: Path

    @classmethod
    def default(cls) -> Workspace:
        """`$DR_DEMO_HOME`, else `.demo` in the current directory."""
        return cls(Path(os.environ.get(HOME_VARIABLE) or ".demo").absolute())

    @property
    def config_file(self) -> Path:
        """The `dr.yaml` of the demo."""
        return self.home / "dr.yaml"

    @property
    def secrets_file(self) -> Path:
        """Environment variables that hold secrets, one `NAME=value` a line, quoted for a shell."""
        return self.home / "secrets.env"

    @property
    def keys(self) -> Path:
        """The keys that open, write and sign the vaults; the folder is its owner's alone."""
        return self.home / "keys"

    @property
    def airflow_home(self) -> Path:
        """`AIRFLOW_HOME` of the demo."""
        return self.home / "airflow"

    @property
    def logs(self) -> Path:
        """Output of the processes that the demo started."""
        return self.home / "logs"

    @property
    def sources(self) -> Path:
        """The live assets; moved aside while the drill runs."""
        return self.home / "sources"

    @property
    def sources_aside(self) -> Path:
        """Where the live assets are while a drill runs."""
        return self.home / "sources.lost"

    @property
    def regions(self) -> Path:
        """Data of all regions."""
        return self.home / "regions"

    def region(self, name: str) -> Path:
        """Data of one region."""
        return self.regions / name

    def read_state(self) -> dict[str, Any]:
        """What `write_state` wrote last; empty when there is nothing."""
        try:
            state: dict[str, Any] = json.loads(self._state_file.read_text())
        except FileNotFoundError:
            return {}
        return state

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace the state atomically: a reader sees the old or the new one, also after a crash."""
        self.home.mkdir(parents=True, exist_ok=True)
        _replace(self._state_file, json.dumps(state, indent=2, sort_keys=True) + "\n", 0o644)

    def read_secrets(self) -> dict[str, str]:
        """The variables of `secrets_file`; empty when there is none."""
        try:
            lines = self.secrets_file.read_text().splitlines()
        except FileNotFoundError:
            return {}
        pairs = (line.partition("=") for line in lines)
        return {name: shlex.split(value)[0] for name, _, value in pairs}

    def write_secrets(self, secrets: dict[str, str]) -> None:
        """Replace the secrets atomically; the file is never readable by others, not even while it is written."""
        self.home.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(secrets.items()))
        _replace(self.secrets_file, text, 0o600)

    @property
    def _state_file(self) -> Path:
        return self.home / "state.json"


def _replace(path: Path, text: str, mode: int) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
