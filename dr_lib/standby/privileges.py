"""Gives up what root may do beyond other users, for good, in this process and all that it starts.

Landlock alone does not do: since Linux 6.13 CAP_PERFMON reads another process's environment past it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

# <linux/prctl.h>, <linux/capability.h>
_SET_DEATH_SIGNAL: Final = 1
_DROP_FROM_BOUNDS: Final = 24
_CAPABILITIES: Final = range(64)
_VERSION_3: Final = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def give_up_capabilities() -> None:
    """Drop every capability; `OSError` when the kernel refuses to take them."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in _CAPABILITIES:
        # Fails for those that the kernel does not know, and for users who have none to lose.
        libc.prctl(_DROP_FROM_BOUNDS, capability, 0, 0, 0)
    if libc.capset(ctypes.byref(_Header(_VERSION_3, 0)), ctypes.byref((_Data * 2)())) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"capabilities cannot be given up: {os.strerror(error)}")


def die_with(parent: int) -> None:
    """End this process, killed, as soon as its parent ends, which has the id `parent`; at once when it is gone."""
    ctypes.CDLL(None, use_errno=True).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(f"the drill (process {parent}) is gone")
