"""HAProxy's runtime API: one command a connection, and what it answers
(https://docs.haproxy.org/2.6/management.html#9.3)."""

from __future__ import annotations

import csv
import socket
from dataclasses import dataclass
from typing import Final

from dr_lib.errors import Refused, StoreUnavailable, UsageError

ANSWER_S: Final = 2.0
LARGEST: Final = 4 << 20
_DENIED: Final = "Permission denied"


@dataclass(frozen=True, slots=True)
class ServerState:
    """A server of a backend: whether it may get requests (`UP`, `DOWN`, `MAINT`, `DRAIN`, …) and its sessions."""

    name: str
    status: str
    sessions: int

    @property
    def takes(self) -> bool:
        """Whether HAProxy sends it new requests. One whose check fails is still the one that was chosen."""
        return not self.status.startswith(("MAINT", "DRAIN", "NOLB"))

    @property
    def is_up(self) -> bool:
        """Whether it takes requests and its health check, if it has one, holds."""
        return self.status.startswith("UP") or self.status == "no check"


class RuntimeApi:
    """HAProxy behind `unix:PATH` or `tcp:HOST:PORT`. Every call is a connection of its own, and over in seconds."""

    def __init__(self, address: str) -> None:
        """Nothing is asked yet."""
        self._address = address

    def servers(self, backend: str) -> dict[str, ServerState]:
        """The servers of a backend by name; `UsageError` (2) naming the backends that there are."""
        lines = self.ask("show stat").removeprefix("# ").splitlines()
        rows = list(csv.DictReader(line for line in lines if line.strip()))
        found = {
            row["svname"]: ServerState(row["svname"], row["status"], _whole(row["scur"]))
            for row in rows
            if row.get("pxname") == backend and row.get("svname") not in (None, "BACKEND", "FRONTEND")
        }
        if not found:
            known = sorted({row.get("pxname") or "" for row in rows if row.get("svname") == "BACKEND"})
            what = f"HAProxy has no backend {backend!r} with a server"
            raise UsageError(what, where=self._address, hint=f"backends there: {', '.join(known) or 'none'}")
        return found

    def set_state(self, backend: str, server: str, state: str) -> None:
        """`ready`, `drain` or `maint`; idempotent."""
        said = self.ask(f"set server {backend}/{server} state {state}").strip()
        if said:
            raise UsageError(f"HAProxy says: {said[:200]}", where=self._address)

    def ask(self, command: str) -> str:
        """One command's answer. `StoreUnavailable` (6) without one, `Refused` (7) where it may not be given."""
        try:
            said = self._exchange(command)
        except PermissionError as error:
            hint = "let this user open the socket: `stats socket … user … group … mode 660`"
            raise Refused("HAProxy's runtime API may not be opened", where=self._address, hint=hint) from error
        except OSError as error:
            what = f"HAProxy's runtime API does not answer: {error.strerror or error}"
            raise StoreUnavailable(what, where=self._address, hint="does HAProxy run, with this socket?") from error
        if _DENIED in said:
            hint = "the socket needs `level admin` in HAProxy's configuration"
            raise Refused("HAProxy's runtime API does not allow this", where=self._address, hint=hint)
        return said

    def _exchange(self, command: str) -> str:
        with self._connected() as line:
            line.sendall(f"{command}\n".encode())
            heard = bytearray()
            while part := line.recv(1 << 16):
                heard += part
                if len(heard) > LARGEST:
                    raise OSError("its answer has no end")
            return heard.decode("utf-8", "replace")

    def _connected(self) -> socket.socket:
        kind, _, place = self._address.partition(":")
        if kind == "tcp":
            host, _, port = place.rpartition(":")
            return socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_S)
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(ANSWER_S)
        try:
            line.connect(place)
        except OSError:
            line.close()
            raise
        return line


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
