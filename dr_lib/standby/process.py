"""A standby on this machine: a fresh process in a fresh directory, given only what survived."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dr_lib.errors import (
    AlreadyExists,
    DrError,
    IntegrityError,
    NotFound,
    ObjectiveMissed,
    OutOfSpace,
    PermissionDenied,
    Refused,
    SourceUnstable,
    StoreUnavailable,
    UsageError,
)
from dr_lib.model.asset import Asset
from dr_lib.model.drill import SmokeResult
from dr_lib.standby.child_process import Finished, bare_environ, last_words, run_child
from dr_lib.standby.ownership import create_owned, remove_owned, sweep
from dr_lib.standby.smoke import DEFAULT_TIMEOUT_S, SmokeRequest, run

_BY_EXIT_CODE: dict[int, type[DrError]] = {
    kind.exit_code: kind
    for kind in (UsageError, ObjectiveMissed, IntegrityError, NotFound, StoreUnavailable, Refused, SourceUnstable)
}
_NARROWER: dict[str, type[DrError]] = {kind.__name__: kind for kind in (OutOfSpace, AlreadyExists, PermissionDenied)}


class ProcessStandby:
    """A restore and its smoke test, each in a process of its own, below one private directory.

    A context manager: entering prepares, leaving tears down, also after a failure. What a killed process left
    behind beside `root` is removed by the next `prepare`.
    """

    def __init__(self, root: Path) -> None:
        """`root` must not exist; its parent is made if need be and may be shared by several standbys."""
        self.root = root.absolute()
        self.restored = self.root / "restored"
        self.attachments = self.root / "attachments"

    def prepare(self) -> None:
        """Make the private directory (mode 0700); `AlreadyExists` when a living process holds it or it is not ours."""
        sweep(self.root.parent)
        create_owned(self.root)
        self._empty.mkdir()

    def restore(
        self, config_text: str, asset: str, point: str, region: str, environ: Mapping[str, str]
    ) -> dict[str, Any]:
        """Restore one point from one region by the command line and return what that printed.

        `config_text` and `environ` are all that the process knows: name only survivors in them. Raises the error
        that the exit code stands for, with the words of the child.
        """
        config = self.root / "dr.yaml"
        config.write_text(config_text, encoding="utf-8")
        command = [sys.executable, "-I", "-m", "dr_lib.cli", "restore", asset, "--to", str(self.restored)]
        chosen = ["--point", point, "--region", region, "--json", "--with-attachments", str(self.attachments)]
        surroundings = {**bare_environ(self._empty), **environ}
        return _document(run_child([*command, *chosen, "--config", str(config)], environ=surroundings, cwd=self._empty))

    def smoke(self, asset: Asset, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> SmokeResult:
        """Smoke-test what was restored; fails as `smoke.run` does, in its result."""
        return run(SmokeRequest.from_asset(asset, self.restored, self.attachments), timeout_s=timeout_s)

    def teardown(self) -> None:
        """Remove everything; nothing happens when it is already gone."""
        remove_owned(self.root)

    def __enter__(self) -> Self:
        """Prepare."""
        self.prepare()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tear down."""
        self.teardown()

    @property
    def _empty(self) -> Path:
        return self.root / "home"


def _document(finished: Finished) -> dict[str, Any]:
    try:
        document = json.loads(finished.stdout)
    except ValueError:
        document = None
    if finished.returncode != 0:
        raise _error(finished, document)
    if not isinstance(document, dict):
        raise DrError("the restore in the standby printed no JSON document", where=last_words(finished.stderr))
    return document


def _error(finished: Finished, document: object) -> DrError:
    said = document.get("error") if isinstance(document, dict) else None
    if finished.returncode < 0:
        return DrError(f"the restore in the standby was killed by signal {-finished.returncode}")
    kind = _BY_EXIT_CODE.get(finished.returncode, DrError)
    if not isinstance(said, dict):
        return kind(f"the restore in the standby failed: {last_words(finished.stderr)}")
    # Some classes share an exit code (a full disk and a silent store): the child's word says which of them it was.
    kind = _NARROWER.get(str(said.get("type")), kind)
    return kind(str(said.get("what", "no message")), where=said.get("where"), hint=said.get("hint"))
