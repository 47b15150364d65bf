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
_NO_SERVERS: Final = (None, "", "BACKEND", "FRONTEND")
_DISABLED: Final = 0x04
"""That its configuration began with `disabled`: it stays, and says nothing about now."""
_DENIED: Final = "Permission denied"


@dataclass(frozen=True, slots=True)
class ServerState:
    """A server of a backend, as HAProxy has it: its status (`UP`, `DOWN`, `MAINT`, `DRAIN`, …), how its last health
    check ended (`INI`: there was none yet; empty: it has none), its sessions, and the flags that took it out."""

    name: str
    status: str
    check: str
    sessions: int
    taken_out: int

    @property
    def takes(self) -> bool:
        """Whether new requests are meant for it. One whose check fails is still the one that was chosen."""
        return self.taken_out == 0

    @property
    def is_well(self) -> bool:
        """Whether a check that was made since it was let in holds; always for a server without checks."""
        return self.status in ("UP", "DRAIN", "no check") and self.check != "INI"


class RuntimeApi:
    """HAProxy behind `unix:PATH` or `tcp:HOST:PORT`. Every call is a connection of its own, and over in seconds."""

    def __init__(self, address: str) -> None:
        """Nothing is asked yet."""
        self._address = address

    def servers(self, backend: str) -> dict[str, ServerState]:
        """The servers of a backend by name; `UsageError` (2) naming the backends that there are."""
        lines = self.ask("show stat").removeprefix("# ").splitlines()
        rows = list(csv.DictReader(line for line in lines if line.strip()))
        named = [row for row in rows if row.get("pxname") == backend and row.get("svname") not in _NO_SERVERS]
        flags = self._taken_out(backend) if named else {}
        found = {row["svname"]: _state(row, flags) for row in named}
        if not found:
            known = sorted({row.get("pxname") or "" for row in rows if row.get("svname") == "BACKEND"})
            what = f"HAProxy has no backend {backend!r} with a server"
            raise UsageError(what, where=self._address, hint=f"backends there: {', '.join(known) or 'none'}")
        return found

    def _taken_out(self, backend: str) -> dict[str, int]:
        """The administrative state of each server: flags of maintenance and draining, 0 for one that is in
        (https://docs.haproxy.org/2.6/management.html#9.3-show%20servers%20state)."""
        rows = [line.split() for line in self.ask(f"show servers state {backend}").splitlines()]
        return {row[3]: _whole(row[6]) & ~_DISABLED for row in rows if len(row) > 6 and row[1] == backend}

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


def _state(row: dict[str, str], flags: dict[str, int]) -> ServerState:
    """What is not told counts as taken out: nobody is sent where nothing is known."""
    name, told = row["svname"], row.get("status") or ""
    return ServerState(name, told, row.get("check_status") or "", _whole(row.get("scur")), flags.get(name, 1))


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
