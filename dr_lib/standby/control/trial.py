"""Holds damaged copies to the smoke test, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dr_lib.model.drill import Control, SmokeCheck
from dr_lib.standby.control.copies import empty_folder
from dr_lib.standby.smoke.diagnosis import cause_of, is_memory

Damage = Callable[[Path], str]
"""Makes a damaged copy at a path that does not exist, and says what it did; raises `Inapplicable`."""
Failed = Callable[[Path], Sequence[SmokeCheck]]
"""The checks of the smoke test that fail on the asset at a path; raises what loading it raises."""


class Inapplicable(Exception):
    """This damage cannot be done here; the text says why. Never leaves `control/`."""


class Meaningless(Exception):
    """An undamaged copy does not pass, so nothing could be said of a damaged one. Never leaves `control/`."""


def require_pass(undamaged: Callable[[Path], object], failed: Failed) -> None:
    """`Meaningless` unless a copy that nothing was done to passes."""
    with empty_folder() as copy:
        try:
            undamaged(copy)
            found = failed(copy)
        except Inapplicable as error:
            raise Meaningless(str(error)) from error
        except Exception as error:
            raise Meaningless(f"an undamaged copy does not pass: {cause_of(error)}") from error
    if found:
        raise Meaningless(f"an undamaged copy does not pass: {_words(found)}")


def tried(name: str, damage: Damage, failed: Failed) -> Control:
    """What the smoke test says of a copy with that damage. Running out of room or memory is no catch."""
    with empty_folder() as copy:
        try:
            did = damage(copy)
        except Inapplicable as error:
            return Control(name, caught=None, detail=str(error))
        except Exception as error:  # noqa: BLE001 - whatever it was, the copy is not there
            return Control(name, caught=None, detail=f"the damaged copy could not be made: {cause_of(error)}")
        return _judged(name, did, copy, failed)


def _judged(name: str, did: str, copy: Path, failed: Failed) -> Control:
    try:
        found = failed(copy)
    except Exception as error:  # noqa: BLE001 - a damaged copy may make a library raise anything
        if is_memory(error) or (isinstance(error, OSError) and not isinstance(error, FileNotFoundError)):
            return Control(name, caught=None, detail=f"{did}; it could not be tried: {cause_of(error)}")
        return Control(name, caught=True, detail=f"{did}: {cause_of(error)}")
    if not found:
        return Control(name, caught=False, detail=did)
    return Control(name, caught=True, detail=f"{did}: {_words(found)}")


def _words(found: Sequence[SmokeCheck]) -> str:
    told = [f"{check.name} {check.measured}, required {check.required}" for check in found[:2]]
    more = f", and {len(found) - 2} more" if len(found) > 2 else ""
    return "; ".join(told) + more
