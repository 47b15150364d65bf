"""`standbys:` of a `dr.yaml`: where drills restore to."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from dr_lib.config import values
from dr_lib.config.strict import Strict
from dr_lib.model.standby import LOCAL, StandbyKind, StandbyPolicy

_IMAGE = re.compile(r"[a-z0-9][a-z0-9._/:-]{0,254}@sha256:[0-9a-f]{64}")
_PYTHON = re.compile(r"[A-Za-z0-9._/+-]{1,255}")
_NETWORK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_BOXED: Final = frozenset({"image", "python", "gpus", "memory", "cpus"})
ONLY: Final[dict[str, frozenset[str]]] = {
    StandbyKind.PROCESS: frozenset(),
    StandbyKind.CONTAINER: _BOXED | {"network"},
    StandbyKind.KUBERNETES: _BOXED | {"namespace", "context"},
}
"""The fields that a kind has beside `kind`, `queue`, `executor` and `room`."""


def _kind(value: object) -> str:
    known = [kind.value for kind in StandbyKind]
    if value not in known:
        raise ValueError(f"{value!r} is not known; write {' or '.join(known)}")
    return str(value)


def _image(value: object) -> str:
    if not isinstance(value, str) or not _IMAGE.fullmatch(value):
        right = "write name@sha256:DIGEST, as `docker image inspect --format '{{index .RepoDigests 0}}'` prints it"
        raise ValueError(f"{value!r} is no image by digest, and a tag can be moved; {right}")
    return value


def _shaped(pattern: re.Pattern[str], right: str) -> BeforeValidator:
    def check(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(f"{value!r} is not allowed; {right}")
        return value

    return BeforeValidator(check)


def _size(value: object) -> int | None:
    return None if value is None else values.size(value)


def _gpus(value: object) -> int:
    return values.whole(value, least=0, most=64)


def _cpus(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1024:
        raise ValueError(f"{value!r} is no number of processors; write a number above 0")
    return float(value)


def _optional_text(value: object) -> str | None:
    return None if value is None else values.text(value)


Name = Annotated[str, BeforeValidator(values.name)]


class StandbySchema(Strict):
    """One entry of `standbys:`."""

    kind: Annotated[str, BeforeValidator(_kind)] = StandbyKind.PROCESS
    queue: Name | None = None
    executor: Annotated[str, _shaped(_PYTHON, "write the name of one of Airflow's executors")] | None = None
    room: Annotated[int | None, BeforeValidator(_size)] = None
    image: Annotated[str, BeforeValidator(_image)] | None = None
    python: Annotated[str, _shaped(_PYTHON, "write a program's name or path")] = LOCAL.python
    network: Annotated[str, _shaped(_NETWORK, "write none, host or the name of a network")] = LOCAL.network
    gpus: Annotated[int, BeforeValidator(_gpus)] = 0
    memory: Annotated[int | None, BeforeValidator(_size)] = None
    cpus: Annotated[float | None, BeforeValidator(_cpus)] = None
    namespace: Name = LOCAL.namespace
    context: Annotated[str | None, BeforeValidator(_optional_text)] = None

    def fact(self, name: str) -> StandbyPolicy:
        """What the rest of the program sees."""
        said: dict[str, Any] = self.model_dump()
        return StandbyPolicy(
            name=name,
            kind=StandbyKind(said.pop("kind")),
            room_bytes=said.pop("room"),
            image=said.pop("image") or "",
            memory_bytes=said.pop("memory"),
            **said,
        )


def policies(found: dict[str, StandbySchema]) -> dict[str, StandbyPolicy]:
    """Every standby by name; `local` is always there."""
    return {LOCAL.name: LOCAL} | {name: one.fact(name) for name, one in found.items()}
