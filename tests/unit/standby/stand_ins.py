"""Where no container engine and no cluster runs: how tests put what stands in for them into place."""

from __future__ import annotations

import json
import os
import shlex
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

CONTEXT = "here"
"""The context of the kubeconfig that leads to the stand-in."""


@dataclass(frozen=True)
class Docker:
    """The stand-in: what it was told, and what it still has."""

    folder: Path

    def told(self) -> list[list[str]]:
        return [json.loads(line)["argv"] for line in (self.folder / "log").read_text().splitlines()]

    def left(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "containers").iterdir())


def put_docker(folder: Path, patch: pytest.MonkeyPatch) -> Docker:
    """Make `folder` with the stand-in first on PATH."""
    (folder / "containers").mkdir(parents=True)
    program = folder / "docker"
    source = folder / "stand_in.py"
    source.write_text((Path(__file__).parent / "stand_in_docker.py").read_text())
    # Not `#!` and the interpreter: its path may hold a space, and then the machine's own docker would be asked.
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(source))} "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return Docker(folder)


def put_kubeconfig(path: Path, url: str, patch: pytest.MonkeyPatch) -> None:
    """Write a kubeconfig for the server at `url`, and let the client find it."""
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "elsewhere",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": "not-a-secret"}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(json.dumps(kubeconfig))
    patch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
