"""Putting a restored model where a site's server finds it, and telling the server to load it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx

from dr_lib.errors import ObjectiveMissed, Refused, StoreUnavailable
from dr_lib.model.serving import SitePolicy

CURRENT: Final = "current"
_MADE_HERE: Final = re.compile(r"[0-9]{8}T[0-9]{12}Z-[0-9a-f]{8}\.[0-9]{8}")
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "TZ", "TMPDIR")
"""What a command learns of this process's environment, which may hold keys."""
_SAID: Final = 2000


def folder_of(directory: Path, point: str, operation: int) -> Path:
    """Where a move restores its point to: a name of its own, so that what stands there is of this move and whole."""
    return directory / f"{point}.{operation:08d}"


def now_loaded(directory: Path) -> str | None:
    """The name of the folder that the server loads, None where there is none."""
    try:
        return (directory / CURRENT).readlink().name
    except OSError:
        return None


def put_in_place(folder: Path) -> None:
    """Make `folder` what the server loads next: one rename, durable on return. Idempotent.

    `Refused` (7) where `current` is something that no move made.
    """
    link = folder.parent / CURRENT
    if link.exists() and not link.is_symlink():
        what = "what the server loads is no link, and a move would put its own in the place of it"
        raise Refused(what, where=str(link), hint="move it away, or name another directory: for this site")
    beside = link.with_name(f".{CURRENT}.{folder.name}")
    with suppress(FileNotFoundError):
        beside.unlink()
    beside.symlink_to(folder.name)
    beside.replace(link)
    _sync(folder.parent)


def remove_others(directory: Path, kept: Collection[str]) -> None:
    """Remove what earlier moves restored, but `kept`; what cannot be removed stays, and nothing else is touched."""
    for path in directory.iterdir():
        if path.name not in kept and _MADE_HERE.fullmatch(path.name) and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def load(site: SitePolicy, patience_s: float) -> None:
    """Tell the site's server to load what is in place: by its command, then by its path to reload.

    `ObjectiveMissed` (3) where either says no, `StoreUnavailable` (6) where it does not answer in time.
    """
    if site.command:
        _run(site.command, patience_s)
    if site.reload is not None:
        _post(site.url + site.reload, patience_s)


def _run(command: tuple[str, ...], patience_s: float) -> None:
    environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        done = subprocess.run(
            command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=patience_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise StoreUnavailable("the command that loads the model did not end in time", where=command[0]) from None
    except OSError as error:
        raise Refused(f"the command that loads the model does not run: {error.strerror}", where=command[0]) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[-_SAID:]
        hint = f"it said: {said}" if said else "run it by hand to see why"
        what = f"the command that loads the model ended with {done.returncode}"
        raise ObjectiveMissed(what, where=command[0], hint=hint)


def _post(url: str, patience_s: float) -> None:
    try:
        answer = httpx.post(url, timeout=patience_s, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        what = f"the server does not answer when told to load the model: {type(error).__name__}"
        raise StoreUnavailable(what, where=url, hint="is it running? Its own log tells more") from error
    if not answer.is_success:
        what = f"the server would not load the model: it answered {answer.status_code}"
        raise ObjectiveMissed(what, where=url, hint=f"it said: {answer.text[:300]!r}")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
