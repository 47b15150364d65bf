"""The runtime behind the page: read again when dr.yaml changed, and never at import."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from dr_airflow.configuration import config_file
from dr_lib.config.load import config_path

if TYPE_CHECKING:
    from dr_lib.runtime import Runtime

_Stamp = tuple[str, int, int]


class RuntimeSource:
    """Gives the runtime of dr.yaml as the file is now. Safe to use from many threads."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._lock = threading.Lock()
        self._known: tuple[_Stamp, Runtime] | None = None

    def runtime(self) -> Runtime:
        """Raises what reading the configuration raises, each time until it is mended."""
        from dr_lib.runtime import Runtime

        path = config_file() or config_path(os.environ)
        with self._lock:
            stamp = _stamp(path)
            if self._known is None or self._known[0] != stamp:
                self._known = None
                self._known = (stamp, Runtime.load(path))
            return self._known[1]


def _stamp(path: Path) -> _Stamp:
    try:
        facts = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), facts.st_mtime_ns, facts.st_size
