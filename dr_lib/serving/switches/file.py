"""A switch that is a file: a map of nginx or HAProxy, a file of Envoy's or Traefik's, anything that watches one."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from dr_lib.errors import OutOfSpace, Refused, UsageError
from dr_lib.model.serving import FileSwitch, Site, Traffic

_FULL = 28


class File:
    """The switch; see `Switch`. The new content takes the place of the old one in one rename, durable on return.

    How soon whoever watches the file follows is not known here: the answers through the callers' address tell.
    """

    def __init__(self, policy: FileSwitch) -> None:
        """Nothing is read yet."""
        self._policy = policy

    def traffic(self) -> Traffic:
        """The site whose content stands in the file; nobody for any other content, or none."""
        try:
            found = self._policy.path.read_text("utf-8")
        except FileNotFoundError:
            return Traffic(frozenset(), f"{self._policy.path} is not there")
        except (OSError, UnicodeDecodeError) as error:
            raise Refused(f"the switch's file cannot be read: {error}", where=str(self._policy.path)) from error
        site = next((site for site, text in self._policy.contents.items() if text.strip() == found.strip()), None)
        if site is None:
            return Traffic(frozenset(), f"{self._policy.path} holds something else")
        return Traffic(frozenset({site}), f"{self._policy.path} holds {site}'s content")

    def move(self, to: Site) -> None:
        """As `Switch.move`. A link is followed: what it points to is replaced. `Refused` (7) where that is not
        allowed."""
        place = Path(os.path.realpath(self._policy.path))
        try:
            mode = stat.S_IMODE(place.stat().st_mode) if place.exists() else 0o644
            _replace(place, self._policy.contents[to].encode(), mode)
        except FileNotFoundError as error:
            raise UsageError("the switch's file has no folder", where=str(place), hint="make it, then again") from error
        except OSError as error:
            what = f"the switch's file cannot be written: {error.strerror}"
            raise (OutOfSpace if error.errno == _FULL else Refused)(what, where=str(place)) from error


def _replace(place: Path, data: bytes, mode: int) -> None:
    descriptor, beside = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(beside).replace(place)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
