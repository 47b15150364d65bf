"""What a standby is told to do: one command, all that it may know, and all that it may reach."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self
from urllib.parse import unquote, urlsplit

from dr_lib.standby.child_process import Finished

_HTTP_PORTS = {"http": 80, "https": 443}
_GIVES_CREDENTIALS = {80, 443}
"""Instance metadata and STS, as the default chain of AWS asks them."""
_NAMES_FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class Reach:
    """What a command may reach beside the system and its own directory: files below `paths`, for reading, and TCP
    `ports`. None stands for any port: what a remote of rclone listens on is not known."""

    paths: tuple[str, ...] = ()
    ports: tuple[int, ...] | None = ()

    @classmethod
    def of(cls, config_text: str, environ: Mapping[str, str]) -> Self:
        """What the regions of a survival kit are reached by; nothing for a text that is no such kit.

        A remote of rclone may be anywhere, on this machine's disks too, and need any file as its key. Where AWS gives
        the credentials, the files that `environ` names and the ports of its services belong to it.
        """
        regions = _regions(config_text)
        if any(_url(region).startswith("rclone:") for region in regions):
            return cls(("/",), None)
        paths = [unquote(urlsplit(_url(region)).path) for region in regions if _url(region).startswith("file:")]
        stored = [region for region in regions if _url(region).startswith("s3:")]
        ports = {port_of(region.get("endpoint")) for region in stored}
        if any(not str(region.get("credentials", "")).startswith("env:") for region in stored):
            ports |= _GIVES_CREDENTIALS
        named = [environ[name] for name in _NAMES_FILES if name in environ]
        return cls((*paths, *named), tuple(sorted(ports)))


def port_of(endpoint: str | None) -> int:
    """The port of `http(s)://host[:port]`; None is Amazon's own."""
    parts = urlsplit(endpoint or "https://")
    return parts.port or _HTTP_PORTS.get(parts.scheme, 443)


def _url(region: Mapping[str, Any]) -> str:
    return str(region.get("url", ""))


def _regions(config_text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(config_text)["regions"].values()
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    return [region for region in found if isinstance(region, dict)]


@dataclass(frozen=True, slots=True)
class Order:
    """Run the module `module` of this package afresh, with `arguments`, in `root/home`.

    `environ` comes on top of the bare one; `files` (name to text) are written into `root` before. `keeps_root`: it
    may write into `root/home` and `root/tmp` alone, so that what was restored stays as it is. It ends with the
    process `parent` of the same machine, and after `limit_s` by itself; None where neither is so.
    """

    module: str
    arguments: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    reach: Reach = field(default_factory=Reach)
    root: str = ""
    keeps_root: bool = False
    parent: int | None = None
    limit_s: int | None = None

    def frame(self) -> bytes:
        """The order as bytes: their number in decimal, a line end, then JSON. A reader needs no end of its stream."""
        said = asdict(self) | {"stdin": base64.b64encode(self.stdin).decode()}
        body = json.dumps(said).encode()
        return b"%d\n" % len(body) + body

    @classmethod
    def read(cls, stream: BinaryIO) -> Self:
        """The inverse of `frame`; takes nothing beyond it from an unbuffered `stream`. `ValueError` for less."""
        length = b""
        while not length.endswith(b"\n"):
            more = stream.read(1)
            if not more or len(length) > 20:
                raise ValueError("no order came")
            length += more
        body = b""
        while len(body) < int(length):
            more = stream.read(int(length) - len(body))
            if not more:
                raise ValueError("the order was cut off")
            body += more
        said = json.loads(body)
        reach = said.pop("reach")
        ports = reach["ports"]
        found = Reach(tuple(reach["paths"]), None if ports is None else tuple(ports))
        stdin = base64.b64decode(said.pop("stdin"))
        return cls(**said | {"arguments": tuple(said["arguments"])}, stdin=stdin, reach=found)


class Runner(Protocol):
    """Where the commands of a standby run.

    `root` is the standby's private directory as its commands see it. `monotonic_ahead_s`: how far its monotonic clock
    is ahead of ours, at the least; 0 on the same machine.
    """

    root: Path
    monotonic_ahead_s: float

    def sweep(self) -> None:
        """Remove what dead drills of this machine left in standbys of this kind; nothing else is touched."""

    def prepare(self) -> None:
        """Sweep, and make the standby; may raise, and then left nothing."""

    def run(self, order: Order, timeout_s: float | None) -> Finished:
        """Run a command to its end. `subprocess.TimeoutExpired` after `timeout_s`; however it ends, it runs no more."""

    def teardown(self) -> None:
        """Remove everything; nothing happens when it is already gone."""
