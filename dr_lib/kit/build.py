"""Making the kit: a zip file that Python runs, the same bytes wherever and whenever it is made.

It holds `format/reader.py` as it stands, what is below `inside/`, the wheels as the package index has them, and the
part of botocore that reads S3.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from dr_lib.errors import DrError
from dr_lib.kit.decoders import wheels

INSIDE: Final = Path(__file__).with_name("inside")
READER: Final = Path(__file__).parents[1] / "format" / "reader.py"
SHEBANG: Final = b"#!/usr/bin/env python3\n"
PACKAGES: Final = ("botocore", "urllib3", "jmespath", "dateutil")
_DATA: Final = ("_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json", "s3/")
_AT: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o644 << 16


def build(folder: Path) -> bytes:
    """The kit, not signed yet; `folder` holds the wheels. `DrError` (1) where a part of it is not installed here."""
    made = io.BytesIO(SHEBANG)
    made.seek(len(SHEBANG))
    with zipfile.ZipFile(made, "w") as whole:
        for name, data in _members(folder):
            packed = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
            info = zipfile.ZipInfo(name, _AT)
            info.compress_type, info.external_attr, info.create_system = packed, _MODE, 3
            whole.writestr(info, data)
    return made.getvalue()


def recipe() -> str:
    """Digest of everything that the kit is made of but the wheels' bytes, whose digests are in the list: hex."""
    known = hashlib.sha256()
    for name, data in _own_members():
        known.update(f"{name} {len(data)}\n".encode() + data)
    for name, path in _installed():
        known.update(f"{name} {path.stat().st_size}\n".encode())
    for wheel in wheels():
        known.update(f"{wheel.name} {wheel.sha256}\n".encode())
    return known.hexdigest()[:16]


def _members(folder: Path) -> Iterator[tuple[str, bytes]]:
    yield from _own_members()
    yield from (("pure/" + name, path.read_bytes()) for name, path in _installed())
    named = sorted({wheel.name for wheel in wheels()})
    yield from (("wheels/" + name, (folder / name).read_bytes()) for name in named)


def _own_members() -> Iterator[tuple[str, bytes]]:
    yield "reader.py", READER.read_bytes()
    for path in sorted(INSIDE.glob("*.py")):
        if path.name != "__init__.py":
            yield path.name, path.read_bytes()


def _installed() -> Iterator[tuple[str, Path]]:
    """Pure Python that boto3 brings along: what signs requests to S3 and reads its answers."""
    for package in PACKAGES:
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise DrError(f"the package {package} is not installed here", hint="install requirements.txt")
        root = Path(next(iter(spec.submodule_search_locations)))
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and _is_wanted(package, name):
                yield f"{package}/{name}", path
    six = find_spec("six")
    if six is None or six.origin is None:
        raise DrError("the package six is not installed here", hint="install requirements.txt")
    yield "six.py", Path(six.origin)


def _is_wanted(package: str, name: str) -> bool:
    if package == "botocore" and name.startswith("data/"):
        return name.removeprefix("data/").startswith(_DATA)
    return name.endswith((".py", ".pem"))
