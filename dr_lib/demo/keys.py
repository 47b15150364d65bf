"""The demo's own keys: made once a workspace, as `drctl keys generate` makes them, and what `dr.yaml` says of them.

Every process of the demo runs as one user on one machine, so that each reads the files of the keys that its work
needs; nothing of them stands in an environment. On machines of their own, each gets its role's keys alone.
"""

from __future__ import annotations

from typing import Any

import yaml

from dr_lib.crypto import key_text
from dr_lib.demo.workspace import Workspace
from dr_lib.errors import Refused, UsageError
from dr_lib.use_cases.key_files import read_text
from dr_lib.workflows.keys.generate import ESCROW, OPS, SIGNER, WRITER, GeneratedKeys, generate

KEY_FILES = (OPS, ESCROW, WRITER, SIGNER)


def make_keys(workspace: Workspace) -> None:
    """Make the keys unless they are there. Atomic, safe to repeat.

    `Refused` (7) when there are vaults already: they are in the clear, or sealed to keys that are gone.
    """
    if workspace.keys.exists():
        return
    if workspace.regions.exists():
        hint = "bring keys/ back, or begin anew: drctl demo down, then remove this folder"
        raise Refused("there are vaults here, and no keys to them", where=str(workspace.home), hint=hint)
    generate(workspace.keys)


def protection(workspace: Workspace) -> dict[str, Any]:
    """`encryption:` and `signing:` for the keys of this workspace; `UsageError` (2) for a file that holds none."""
    publics = [_public(workspace, name) for name in (OPS, ESCROW, SIGNER)]
    said: dict[str, Any] = yaml.safe_load(GeneratedKeys(workspace.keys, *publics).yaml)
    return said


def _public(workspace: Workspace, name: str) -> str:
    path = workspace.keys / name
    try:
        return key_text.in_file(read_text(path)).public
    except ValueError as error:
        raise UsageError(str(error), where=str(path), hint="bring the file back, or begin in a new folder") from error
