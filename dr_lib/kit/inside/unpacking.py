"""What the kit carries for this machine, unpacked beside a temporary directory's other contents.

Extension modules cannot be loaded from within a zip file. Everything here is the standard library.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import platform
import re
import struct
import sys
import zipfile
from pathlib import Path

WHEEL = re.compile(
    r"wheels/[^-]+-[^-]+-(?:cp(?P<tag>3[0-9]+)-(?P<abi>cp3[0-9]+|abi3)-[^/]*_(?P<machine>x86_64|aarch64)|py3-none-any)\.whl"
)
PURE = "pure/"
TAIL, TAIL_BYTES = b"PK\5\6", 22
OLDEST, NEWEST = (3, 10), (3, 14)


class Unusable(Exception):
    """The exit code and, in one line, why this kit does nothing here."""


def archive() -> Path:
    """The kit's own file."""
    return Path(__loader__.archive)  # type: ignore[name-defined]  # what imports from a zip file names it


def refuse_damaged(kit: Path) -> None:
    """Raise `Unusable` where the kit is not the bytes that were signed as it.

    This finds rot, and nobody's malice: who can change the kit can change this, too. `drctl kit list` and every drill
    hold it against the keys that they know.
    """
    data = kit.read_bytes()
    at = data.rfind(TAIL)
    comment = data[at + TAIL_BYTES :]
    try:
        said = json.loads(base64.b64decode(json.loads(comment)["payload"]))["sha256"]
        whole = at >= 0 and struct.unpack_from("<H", data, at + 20)[0] == len(comment)
    except (KeyError, TypeError, ValueError, struct.error):
        said, whole = None, False
    if not whole or hashlib.sha256(data[: at + 20] + b"\0\0").hexdigest() != said:
        raise Unusable(4, "this kit is damaged or was changed; take the one of another region")


def unpack(kit: Path, folder: Path) -> None:
    """Put what this Python on this machine needs into `folder`, and there first on the path for imports."""
    version, machine = sys.version_info[:2], platform.machine()
    if not OLDEST <= version <= NEWEST or machine not in ("x86_64", "aarch64") or sys.platform != "linux":
        here = f"Python {version[0]}.{version[1]} on {sys.platform} {machine}"
        raise Unusable(7, f"it runs on Python 3.10 to 3.14 on Linux, x86-64 or aarch64; this is {here}")
    with zipfile.ZipFile(kit) as whole:
        for name in whole.namelist():
            if name.startswith(PURE) and not name.endswith("/"):
                target = folder / name[len(PURE) :]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(whole.read(name))
            elif fits(name, version, machine):
                with zipfile.ZipFile(io.BytesIO(whole.read(name))) as wheel:
                    wheel.extractall(folder)
    sys.path.insert(0, str(folder))


def fits(name: str, version: tuple[int, int], machine: str) -> bool:
    """Whether a member is a wheel that this Python can load here."""
    wheel = WHEEL.fullmatch(name)
    if wheel is None:
        return False
    if wheel["tag"] is None:
        return True
    tag = (3, int(wheel["tag"][1:]))
    return wheel["machine"] == machine and (tag == version or (wheel["abi"] == "abi3" and tag <= version))
