"""Which failures of one region make another one be asked, and which one is raised when none could give the bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dr_lib.errors import DrError, IntegrityError, NotFound, PermissionDenied, StoreUnavailable

ASK_ANOTHER: Final = (IntegrityError, NotFound, StoreUnavailable, PermissionDenied)
"""Failures that say nothing against another region's copy."""


def decisive(errors: Sequence[DrError]) -> DrError:
    """The error to raise after every region failed with one of `errors` (at least one).

    A region that did not answer, or did not let us in, may hold what was asked for: its error comes before one that
    calls the thing damaged, and that before one that calls it absent.
    """
    for kind in (StoreUnavailable, PermissionDenied, IntegrityError):
        found = next((error for error in errors if isinstance(error, kind)), None)
        if found is not None:
            return found
    return errors[-1]


def decisive_of_pack(errors: Sequence[DrError]) -> DrError:
    """As `decisive`, for a pack that a manifest needs: its absence is damage, not a question of what exists."""
    error = decisive(errors)
    if not isinstance(error, NotFound):
        return error
    hint = "restore from another --region"
    return IntegrityError(f"a pack that this point needs is gone: {error.what}", where=error.where, hint=hint)
