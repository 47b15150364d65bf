"""Memory of a process that moves an asset: what one frame frees is kept for the next, and no collector walks in vain.

Page faults of fresh memory took as long as decoding; garbage collections as long as planning.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
_LARGEST: Final = 32 << 20
"""The largest threshold that glibc accepts."""
_KEPT: Final = 256 << 20


@cache
def keep_freed_memory() -> bool:
    """Make glibc hand out freed megabytes again instead of returning them to the system; False under another libc.

    For the whole process and once (mallopt(3)). One arena for all threads made later: kept memory is then what was
    needed at one time, and not that for each thread.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    options = ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGEST), (_TRIM_THRESHOLD, _KEPT))
    accepted = [mallopt(name, value) for name, value in options]
    return all(accepted)


@contextmanager
def growing_only() -> Iterator[None]:
    """No garbage collection within the block, which makes many objects and no cycles of them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
