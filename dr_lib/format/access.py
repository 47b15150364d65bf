"""What a reader of a vault's records demands of them, and what opens them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dr_lib.errors import PermissionDenied


def _no_key(key_id: str) -> bytes:
    raise PermissionDenied(f"this is sealed under the run key {key_id}, and no identity is at hand")


@dataclass(frozen=True, slots=True)
class Access:
    """`trusted`: who may have signed (anybody, when empty). `sealed`: whether all content must be sealed, else none may
    be. `run_key` gives the secret of a run key by its id, or raises `PermissionDenied` (7)."""

    trusted: tuple[str, ...] = ()
    sealed: bool = False
    run_key: Callable[[str], bytes] = _no_key


CLEAR: Final = Access()
"""Of a vault that is neither sealed nor signed."""
