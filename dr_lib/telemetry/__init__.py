"""What workflows tell of themselves: traces and metrics, by OpenTelemetry, where somebody listens.

Without `OTEL_EXPORTER_OTLP_ENDPOINT` (or that of traces or metrics alone) nothing of OpenTelemetry is imported and
nothing is done. Telling never fails or delays the work beyond a few seconds at its end. What is told are names,
counts and the words of errors: never a secret, a path of a key, or what a file holds.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any, Final, ParamSpec, Protocol, TypeVar

from dr_lib.clock import monotonic
from dr_lib.errors import DrError

ENDPOINTS: Final = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)
ASKED: Final = ("asset", "region", "point", "mode", "scenario", "endpoint", "to")
"""Arguments of a workflow that become attributes of its span."""
TOLD: Final = ("point", "region", "scenario", "verdict", "ok", "passed", "moved", "applied")
"""Parts of a workflow's document that do."""
BYTES: Final = ("logical_bytes", "stored_bytes", "new_bytes", "bytes")
"""Parts of it that are counted, too."""
DONE: Final = "done"

Attributes = Mapping[str, "str | bool | int | float"]
P = ParamSpec("P")
R = TypeVar("R")


class Span(Protocol):
    """A piece of work that goes on."""

    def note(self, attributes: Attributes) -> None:
        """Say more about it."""
        ...

    def failed(self, kind: str, what: str, exit_code: int) -> None:
        """It ends with an error."""
        ...


class Sink(Protocol):
    """Takes what is told."""

    def span(self, name: str, attributes: Attributes) -> AbstractContextManager[Span]:
        """A span below the one that goes on."""
        ...

    def past(self, name: str, seconds: float) -> None:
        """A span of work that ends now and took so long."""
        ...

    def ran(self, workflow: str, outcome: str, seconds: float, counts: Mapping[str, int]) -> None:
        """A workflow ended."""
        ...

    def flush(self) -> bool:
        """Hand over everything, for a few seconds at the most; False where that was not all taken."""
        ...


class _Silence:
    def note(self, attributes: Attributes) -> None:
        """Nobody listens."""

    def failed(self, kind: str, what: str, exit_code: int) -> None:
        """Nobody listens."""


_sink: Sink | None = None
_SILENCE: Final = _Silence()


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether anybody listens, by OpenTelemetry's own variables."""
    return environ.get("OTEL_SDK_DISABLED", "").lower() != "true" and any(environ.get(name) for name in ENDPOINTS)


@contextmanager
def exporting(environ: Mapping[str, str]) -> Iterator[None]:
    """Tell what happens inside, where anybody listens; one line on stderr where not all of it was taken."""
    global _sink  # noqa: PLW0603 - one process tells one story
    if not is_wanted(environ):
        yield
        return
    sink = _sink = _sink or _opened(environ)
    try:
        yield
    finally:
        if sink is not None and not sink.flush():
            where = _place(next(environ[name] for name in ENDPOINTS if environ.get(name)))
            print(f"telemetry: not everything was taken by {where}; the work itself is not concerned", file=sys.stderr)


def _opened(environ: Mapping[str, str]) -> Sink | None:
    """None, and a line on stderr, where a variable or a missing package is in the way: the work goes on untold."""
    try:
        from dr_lib.telemetry.exporting import opened

        return opened(environ)
    except Exception as error:  # noqa: BLE001 - a wrong OTEL_BSP_… must not stop a restore
        print(f"telemetry: nothing is told ({error}); the work itself is not concerned", file=sys.stderr)
        return None


def _place(endpoint: str) -> str:
    """An endpoint without the user and the password that may stand in it."""
    scheme, colon, rest = endpoint.rpartition("://")
    host, slash, path = rest.partition("/")
    return scheme + colon + host.rpartition("@")[2] + slash + path.partition("?")[0]


@contextmanager
def span(name: str, **attributes: str | bool | float) -> Iterator[Span]:
    """A phase of a workflow: a span below the workflow's. Names become `dr.<name>`, as those of attributes do."""
    if _sink is None:
        yield _SILENCE
        return
    with _sink.span(f"dr.{name}", {f"dr.{key}": value for key, value in attributes.items()}) as running:
        try:
            yield running
        except BaseException as error:
            _fail(running, error)
            raise


def past(name: str, seconds: float) -> None:
    """A phase that has just ended, and was measured by whoever did it."""
    if _sink is not None:
        _sink.past(f"dr.{name}", seconds)


def workflow(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A use case whose runs are told: a span with what was asked and what came of it, and the metrics of a run."""

    def decorate(work: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(work)

        @wraps(work)
        def run(*given: P.args, **named: P.kwargs) -> R:
            if _sink is None:
                return work(*given, **named)
            asked = _asked(signature.bind(*given, **named).arguments)
            with _sink.span(f"dr.{name}", asked) as running:
                return _told(_sink, running, name, lambda: work(*given, **named))

        run.__dict__["workflow"] = name
        return run

    return decorate


def _told(sink: Sink, running: Span, name: str, work: Callable[[], R]) -> R:
    begun = monotonic()
    try:
        result = work()
    except BaseException as error:
        _fail(running, error)
        sink.ran(name, type(error).__name__, monotonic() - begun, {})
        raise
    found = result if isinstance(result, dict) else {}
    counts = {kind: count for kind in BYTES if isinstance(count := found.get(kind), int)}
    running.note(_plain(found, TOLD) | {f"dr.{kind}": count for kind, count in counts.items()})
    running.note({f"dr.phase.{phase}_s": took for phase, took in _phases(found).items()})
    sink.ran(name, DONE, monotonic() - begun, counts)
    return result


def _fail(running: Span, error: BaseException) -> None:
    """Only a `DrError` is quoted: what others say may quote values."""
    what, exit_code = (error.what, error.exit_code) if isinstance(error, DrError) else ("", 1)
    running.failed(type(error).__name__, what, exit_code)


def _asked(arguments: Mapping[str, Any]) -> dict[str, str | bool | int | float]:
    wish = arguments.get("wish")
    return _plain(arguments, ASKED) | ({} if wish is None else _plain(vars_of(wish), ASKED))


def vars_of(fact: Any) -> dict[str, Any]:
    """The fields of a frozen fact that become attributes."""
    return {name: getattr(fact, name) for name in ASKED if hasattr(fact, name)}


def _plain(found: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str | bool | int | float]:
    return {f"dr.{name}": value for name in names if isinstance(value := found.get(name), str | bool | int | float)}


def _phases(found: Mapping[str, Any]) -> dict[str, float]:
    phases = found.get("phases")
    if not isinstance(phases, dict):
        return {}
    return {str(name): float(took) for name, took in phases.items() if isinstance(took, int | float)}
