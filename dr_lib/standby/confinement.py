"""Takes from this process all that a standby must not reach, for good: files by place, TCP by port (Landlock).

What Landlock cannot tell: hosts behind one port, UDP, Unix sockets with a path, and that a file exists.
"""

from __future__ import annotations

import contextlib
import os
import site
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import landlockpy
from landlockpy import AccessFS, AccessNet, Ruleset, Scope

import dr_lib
from dr_lib.standby.orders import Reach

FILES: Final = "files"
PORTS: Final = "ports"
_READ: Final = AccessFS.READ_FILE | AccessFS.READ_DIR
_RUN: Final = _READ | AccessFS.EXECUTE
_DEVICE: Final = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.IOCTL_DEV
_OF_FILES: Final = _DEVICE | AccessFS.EXECUTE | AccessFS.TRUNCATE
_SHARED: Final = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.MAKE_REG | AccessFS.REMOVE_FILE | AccessFS.TRUNCATE
_PORTS_SINCE: Final = 4
_SHALLOW: Final = 2
_PROGRAMS: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
_FACTS: Final = ("/proc", "/sys", "/run/systemd/resolve", "/run/nvidia-persistenced")
# Not all of /etc: keys and passwords of other programs lie there, too.
_SETTINGS: Final = (
    *("alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "fonts", "gai.conf", "group"),
    *("host.conf", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "machine-id", "mime.types"),
    *("nsswitch.conf", "nvidia", "nvidia-container-runtime", "OpenCL", "os-release", "passwd", "pki", "protocols"),
    *("resolv.conf", "services", "ssl", "timezone"),
)
_DEVICES: Final = ("null", "zero", "full", "random", "urandom", "tty", "nvidia*", "nvidia-caps/*", "dri/*", "kfd")


def confine(root: Path, reach: Reach, *, keeps_root: bool = False) -> frozenset[str]:
    """Leave this process (and all that it starts) `root`, `reach`, the system's and Python's files; never undone.

    With `keeps_root` only `root/home` and `root/tmp` can be written, and nothing else below `root` be run.

    Returns what is confined, of `FILES` and `PORTS`: nothing where the kernel has no Landlock. `OSError` when the
    kernel has it and refuses: then nothing may run.
    """
    abi = _abi()
    if abi == 0:
        return frozenset()
    net = None if reach.ports is not None else AccessNet.NONE
    with Ruleset(handled_net=net, scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET) as rules:
        for path, access in (*_own(root, keeps_root=keeps_root), *_always(), *_itself(), *_given(reach)):
            _allow(rules, path, access)
        for port in reach.ports or ():
            rules.allow_port(port, AccessNet.CONNECT_TCP)
        rules.restrict()
    return frozenset({FILES, PORTS} if abi >= _PORTS_SINCE and reach.ports is not None else {FILES})


def bounds_here() -> tuple[str, ...]:
    """What `confine` can confine on this machine, of `FILES` and `PORTS`."""
    abi = _abi()
    return (FILES, PORTS)[: (abi > 0) + (abi >= _PORTS_SINCE)]


def _abi() -> int:
    """The version of Landlock; 0 where there is none, and where a container's own filter keeps it from us."""
    try:
        return landlockpy.abi_version()
    except OSError:
        return 0


def readable() -> tuple[Path, ...]:
    """Every place that commands of a standby may read whatever their reach: nothing to protect should lie below."""
    return tuple(path.resolve() for path, _ in _always() if path.exists())


def _own(root: Path, *, keeps_root: bool) -> Iterator[tuple[Path, AccessFS]]:
    everything = landlockpy.fs_for_abi(_abi())
    if not keeps_root:
        yield root, everything
        return
    yield root, _READ
    yield root / "home", everything
    yield root / "tmp", everything


def _itself() -> Iterator[tuple[Path, AccessFS]]:
    # CUDA names its threads there and gives up where it must not ("OS call failed", seen on an H100).
    yield Path("/proc/self/task"), _READ | AccessFS.WRITE_FILE | AccessFS.TRUNCATE


def _libraries() -> Iterator[str]:
    """Where the loader was told to look; with some container runtimes the GPU's driver lies nowhere else."""
    for entry in os.environ.get("LD_LIBRARY_PATH", "").split(":"):
        if len(Path(entry).parts) > _SHALLOW:
            yield entry


def _given(reach: Reach) -> Iterator[tuple[Path, AccessFS]]:
    for path in reach.paths:
        yield Path(path), _READ


def _always() -> Iterator[tuple[Path, AccessFS]]:
    for program in (*_PROGRAMS, *_python(), *_libraries()):
        yield Path(program), _RUN
    for place in (*_FACTS, *(f"/etc/{name}" for name in _SETTINGS)):
        yield Path(place), _READ
    for pattern in _DEVICES:
        for device in Path("/dev").glob(pattern):
            yield device, _DEVICE
    # Locks and shared memory of multiprocessing lie there. It cannot be listed, so that of others is not found.
    yield Path("/dev/shm"), _SHARED  # noqa: S108


def _python() -> Iterator[str]:
    yield from {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    # A checkout that is on the path holds more than code; of it, this package is enough.
    yield from dr_lib.__path__
    yield from (entry for entry in sys.path if entry.endswith(("site-packages", "dist-packages")))
    yield from site.getsitepackages()


def _allow(rules: Ruleset, path: Path, access: AccessFS) -> None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        # A rule stands for what a link leads to, so links need none of their own.
        found = path.resolve(strict=True)
        rules.allow_path(found, access if found.is_dir() else access & _OF_FILES)
