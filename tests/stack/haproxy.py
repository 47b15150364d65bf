"""HAProxy before two servers, on a free port of this machine's loopback, for as long as a test needs it."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from tests.stack.servers import free_port

BACKEND = "models"
_CONFIG = """global
    stats socket "{socket}" mode 600 level {level}
    stats timeout 30s
    server-state-file "{state}"
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    retries 3
    option redispatch
    load-server-state-from-file global
frontend callers
    bind 127.0.0.1:{front}
    default_backend {backend}
backend {backend}
    option httpchk GET {health}
    http-check expect status 200
    default-server check inter 200ms fall 2 rise 1
{servers}"""


@dataclass
class Proxy:
    """`front` is the port that callers use, `socket` the runtime API; the first server serves, the others are out."""

    home: Path
    socket: Path
    front: int
    backend: str
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()


@contextmanager
def haproxy(
    home: Path, *, servers: Mapping[str, int], health: str = "/healthz", level: str = "admin", checks: bool = True
) -> Iterator[Proxy]:
    """HAProxy with its runtime API; `servers` are ports of this machine by name."""
    home.mkdir(parents=True)
    short = Path(tempfile.mkdtemp(prefix="dr-proxy-"))  # the path of a socket has at most 107 bytes
    place = short / "admin.sock"
    front = free_port()
    lines = [
        f"    server {name} 127.0.0.1:{port}{'' if not place_of else ' disabled'}{'' if checks else ' no-check'}"
        for place_of, (name, port) in enumerate(servers.items())
    ]
    text = _CONFIG.format(
        socket=place, level=level, state=home / "state", front=front, backend=BACKEND, health=health,
        servers="\n".join(lines) + "\n",
    )  # fmt: skip
    (home / "haproxy.cfg").write_text(text)
    program = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert program, "haproxy is missing: bash tools/system.sh haproxy"
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([program, "-db", "-f", home / "haproxy.cfg"], cwd=home, stdout=log, stderr=log)
    try:
        wait = Retrying(retry=retry_if_result(lambda up: not up), stop=stop_after_delay(30), wait=wait_fixed(0.02))
        wait(lambda: _listens(place) or process.poll() is not None)
        assert process.poll() is None, (home / "log").read_text()
        yield Proxy(home, place, front, BACKEND, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(20)
        shutil.rmtree(short)


def _listens(place: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as found:
        try:
            found.connect(str(place))
        except OSError:
            return False
        return True
