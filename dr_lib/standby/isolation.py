"""Tries, from inside a standby, all that a restore there must not reach. Runs in the standby's own process."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from dr_lib.model.drill import Assertion
from dr_lib.model.standby import Forbidden
from dr_lib.standby.child_process import INHERITED, MARK
from dr_lib.standby.confine import CONFINED
from dr_lib.standby.confinement import FILES, PORTS, readable

_ALWAYS_THERE: Final = frozenset(
    {*INHERITED, "HOME", "TMPDIR", "LC_CTYPE", "CUDA_VISIBLE_DEVICES", "PWD", "HOSTNAME", CONFINED, MARK}
)
_HUB: Final = Forbidden("the model hub", host="huggingface.co", port=443)
_CONNECT_LIMIT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is forbidden, and what the confinement is asked to allow: the directory `root`, files below `paths`, TCP to
    `ports` (None: any), environment variables of the names `known`."""

    root: Path
    forbidden: tuple[Forbidden, ...]
    known: frozenset[str]
    paths: tuple[str, ...]
    ports: frozenset[int] | None

    @classmethod
    def of(cls, question: dict[str, Any]) -> Self:
        """From the question as JSON."""
        ports = question["ports"]
        return cls(
            Path(question["root"]),
            tuple(Forbidden(**one) for one in question["forbidden"]),
            frozenset(question["known"]),
            tuple(question["paths"]),
            None if ports is None else frozenset(ports),
        )

    def denies_file(self, path: Path) -> bool:
        """True where the confinement is in force and nothing that it allows lies above `path`."""
        allowed = (*readable(), self.root, *(Path(one).resolve() for one in self.paths))
        return FILES in _confined() and not any(path.resolve().is_relative_to(one) for one in allowed)

    def denies_port(self, port: int) -> bool:
        """True where the confinement is in force and does not have to leave this port open."""
        return PORTS in _confined() and self.ports is not None and port not in self.ports


def assertions(bounds: Bounds) -> tuple[Assertion, ...]:
    """One assertion for each thing tried. What was reached although the confinement should have denied it did not hold;
    what was reached because nothing here can deny it is not known to be cut off, and says why."""
    return (
        *_tried_at_once((*bounds.forbidden, _HUB), bounds),
        _hub_library(),
        _environment(bounds),
        *_writes(bounds),
        _creator(),
    )


def _tried_at_once(forbidden: Sequence[Forbidden], bounds: Bounds) -> list[Assertion]:
    # A firewall that drops what it forbids lets every try wait to its end: that counts into the RTO.
    with ThreadPoolExecutor(len(forbidden)) as pool:
        return list(pool.map(lambda one: _kept_away(one, bounds), forbidden))


def _confined() -> frozenset[str]:
    return frozenset(os.environ.get(CONFINED, "").split(",")) - {""}


def _kept_away(one: Forbidden, bounds: Bounds) -> Assertion:
    if one.path:
        return _unreadable(f"{one.what} cannot be read", Path(one.path), bounds)
    if not one.host:
        detail = "not tried: where it lies is known to rclone alone"
        return Assertion(f"{one.what} cannot be reached", held=None, detail=detail)
    return _unconnected(f"{one.what} cannot be connected to", one.host, one.port, bounds)


def _unreadable(name: str, path: Path, bounds: Bounds) -> Assertion:
    try:
        _read_some(path)
    except PermissionError:
        return Assertion(name, held=True, detail="not permitted by the confinement")
    except FileNotFoundError:
        return Assertion(name, held=True, detail="nothing is there")
    except OSError as error:
        return Assertion(name, held=True, detail=f"it cannot be read: {error.strerror}")
    return _reached(name, "it can be read", denied=bounds.denies_file(path), why=_why_readable())


def _read_some(path: Path) -> None:
    if path.is_dir():
        with os.scandir(path) as entries:
            next(entries, None)
        return
    with path.open("rb") as file:
        file.read(1)


def _why_readable() -> str:
    if FILES not in _confined():
        return "nothing confines this standby: the kernel has no Landlock"
    return "it lies below what this standby has to read"


def _unconnected(name: str, host: str, port: int, bounds: Bounds) -> Assertion:
    try:
        socket.create_connection((host, port), timeout=_CONNECT_LIMIT_S).close()
    except PermissionError:
        return Assertion(name, held=True, detail=f"TCP to port {port}: not permitted by the confinement")
    except ConnectionRefusedError:
        return Assertion(name, held=True, detail=f"TCP to port {port}: refused, nothing listens there")
    except socket.gaierror:
        return Assertion(name, held=True, detail="its name is not known here")
    except OSError as error:
        return Assertion(name, held=True, detail=f"TCP to port {port}: no answer ({error.strerror or error})")
    return _reached(name, f"TCP to port {port} connects", denied=bounds.denies_port(port), why=_why_connected(port))


def _why_connected(port: int) -> str:
    if PORTS not in _confined():
        return "nothing confines the network of this standby"
    return f"the surviving region answers on port {port} too, and Landlock tells ports apart, not hosts"


def _reached(name: str, what: str, *, denied: bool, why: str) -> Assertion:
    if denied:
        return Assertion(name, held=False, detail=f"{what}, although the confinement forbids it")
    return Assertion(name, held=None, detail=f"{what}: {why}")


def _hub_library() -> Assertion:
    name = "the hub's library refuses to ask it"
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import OfflineModeIsEnabled
    except ImportError:
        return Assertion(name, held=True, detail="huggingface_hub is not installed here")
    try:
        HfApi().model_info("sentence-transformers/all-MiniLM-L6-v2", timeout=_CONNECT_LIMIT_S)
    except OfflineModeIsEnabled:
        return Assertion(name, held=True, detail="HF_HUB_OFFLINE is in force")
    except Exception as error:  # noqa: BLE001 - whatever else it raises, it did try
        return Assertion(name, held=False, detail=f"it tried ({type(error).__name__})")
    return Assertion(name, held=False, detail="it asked, and was answered")


def _environment(bounds: Bounds) -> Assertion:
    name = "the environment holds the survivors' credentials alone"
    strange = sorted(frozenset(os.environ) - _ALWAYS_THERE - bounds.known)
    if strange:
        return Assertion(name, held=False, detail=f"also there: {', '.join(strange)}")
    given = len(frozenset(os.environ) & bounds.known)
    return Assertion(name, held=True, detail=f"{given} variables that were given, and none besides the usual ones")


def _writes(bounds: Bounds) -> Iterator[Assertion]:
    places = dict.fromkeys([bounds.root.parent, Path("/tmp"), Path("/var/tmp"), Path("/")])  # noqa: S108
    for place in places:
        if place.is_dir() and not place.is_relative_to(bounds.root):
            yield _unwritable(place)


def _unwritable(place: Path) -> Assertion:
    name = f"nothing can be written in {place}"
    try:
        descriptor, made = tempfile.mkstemp(prefix=".dr-probe-", dir=place)
    except PermissionError:
        return Assertion(name, held=True, detail="not permitted")
    except OSError as error:
        return Assertion(name, held=True, detail=f"it cannot be written: {error.strerror}")
    os.close(descriptor)
    Path(made).unlink()
    return _reached(name, "a file was made and removed", denied=FILES in _confined(), why=_why_readable())


def _creator() -> Assertion:
    name = "the environment of the process that drills cannot be read"
    above = os.getppid()
    if above == 0:
        return Assertion(name, held=True, detail="no process above is visible here")
    try:
        Path(f"/proc/{above}/environ").read_bytes()
    except PermissionError:
        return Assertion(name, held=True, detail="not permitted")
    except OSError as error:
        return Assertion(name, held=True, detail=f"it cannot be read: {error.strerror}")
    return _reached(name, "it can be read", denied=FILES in _confined(), why=_why_readable())
