"""The error family: each class decides the exit code and whether a retry may help.

Every message says what is wrong (`what`), where (`where`: a region, file, key or field) and what to do
next (`hint`). Adapters translate the errors of their libraries into this family at the I/O boundary, so
that nothing above them ever handles a library's exception.
"""

from __future__ import annotations

from typing import ClassVar


class DrError(Exception):
    """Base of everything this project raises on purpose. Exit code 1 means a defect of ours."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        """`what` is one sentence without a trailing full stop; `hint` is the next step for a person."""
        super().__init__(what, where, hint)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """One line: what, then where in brackets, then the next step."""
        text = self.what if self.where is None else f"{self.what} [{self.where}]"
        return text if self.hint is None else f"{text}; next: {self.hint}"


class UsageError(DrError):
    """The command or the configuration is wrong; nothing was done."""

    exit_code = 2


class ObjectiveMissed(DrError):
    """An objective (RPO, RTO) was missed or a smoke test failed; the measurement itself succeeded."""

    exit_code = 3


class IntegrityError(DrError):
    """Stored bytes are damaged, tampered with, or contradict their own digests."""

    exit_code = 4


class NotFound(DrError):
    """The named thing is known not to exist. Never raised for something that could not be read."""

    exit_code = 5


class StoreUnavailable(DrError):
    """A store did not answer, or answered with a passing failure; the state of its objects is unknown."""

    exit_code = 6
    retryable = True


class OutOfSpace(DrError):
    """The file system that is written to is full; free some space and run the command again."""

    exit_code = 6


class Refused(DrError):
    """The request is understood and will not be done: locked, held, in the way, or not permitted."""

    exit_code = 7


class PermissionDenied(Refused):
    """The credentials are wrong, or do not permit the operation."""


class AlreadyExists(Refused):
    """Create-if-absent found an object (or directory) of that name; it was not touched."""


class SourceUnstable(DrError):
    """The source is changing, incomplete or unreadable; no point was committed."""

    exit_code = 8
    retryable = True
