"""What a command of a standby answered: its document, or the error that its exit code stands for."""

from __future__ import annotations

import json
from typing import Any

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
from dr_lib.standby.child_process import Finished, last_words

_BY_EXIT_CODE: dict[int, type[DrError]] = {
    kind.exit_code: kind
    for kind in (UsageError, ObjectiveMissed, IntegrityError, NotFound, StoreUnavailable, Refused, SourceUnstable)
}
_NARROWER: dict[str, type[DrError]] = {kind.__name__: kind for kind in (OutOfSpace, AlreadyExists, PermissionDenied)}


def error_class(exit_code: int) -> type[DrError]:
    """What an exit code of ours stands for."""
    return _BY_EXIT_CODE.get(exit_code, DrError)


def document_of(finished: Finished, command: str) -> dict[str, Any]:
    """The JSON document that `command` printed; raises the error that it reported, with the words of the child."""
    try:
        document = json.loads(finished.stdout)
    except ValueError:
        document = None
    if finished.returncode != 0:
        raise _error(finished, document, command)
    if not isinstance(document, dict):
        raise DrError(f"the {command} in the standby printed no JSON document", where=last_words(finished.stderr))
    return document


def _error(finished: Finished, document: object, command: str) -> DrError:
    said = document.get("error") if isinstance(document, dict) else None
    if finished.returncode < 0:
        return DrError(f"the {command} in the standby was killed by signal {-finished.returncode}")
    kind = error_class(finished.returncode)
    if not isinstance(said, dict):
        return kind(f"the {command} in the standby failed: {last_words(finished.stderr)}")
    # Some classes share an exit code (a full disk and a silent store): the child's word says which of them it was.
    kind = _NARROWER.get(str(said.get("type")), kind)
    return kind(str(said.get("what", "no message")), where=said.get("where"), hint=said.get("hint"))
