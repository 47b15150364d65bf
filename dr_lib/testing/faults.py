"""What a store can do to those who rely on it, one fault each.

Each function below makes a `Fault`. `on` are the methods that it concerns, `prefix` how their keys (or the prefix of a
listing) begin, `when` which of the calls that match both are struck (see `schedules`).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from dr_lib.errors import DrError, StoreUnavailable
from dr_lib.storage.base import ObjectInfo
from dr_lib.testing.schedules import When, always, once

READS: Final = ("get", "get_range")
WRITES: Final = ("create", "replace")
EVERYTHING: Final = (
    "check", "ensure_container", "create", "get", "get_range", "head", "list",
    "locked_until", "lock", "versions", "get_version", "delete", "replace", "weaken",
)  # fmt: skip


class Killed(BaseException):
    """The process ended here, as by kill -9: no `except Exception` sees it, and nothing that it does later happens."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call on its way into the store. `proceed` lets it go on; `strike` is called by a fault that does something.

    `created` are the keys that were created through this wrapper, oldest first.
    """

    method: str
    key: str
    created: Sequence[str]
    proceed: Callable[[], Any]
    strike: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """`effect` takes the place of a call: it gives what the caller sees, or raises."""

    name: str
    effect: Callable[[Call], Any]
    on: tuple[str, ...]
    prefix: str
    when: When

    def concerns(self, method: str, key: str) -> bool:
        """Whether a call is one of those that are counted."""
        return method in self.on and key.startswith(self.prefix)


def error(
    raised: Callable[[], BaseException] | None = None,
    *,
    on: tuple[str, ...] = EVERYTHING,
    prefix: str = "",
    when: When = once,
) -> Fault:
    """The call does not happen, and raises: what `raised` makes, `StoreUnavailable` without one."""

    def effect(call: Call) -> Any:
        call.strike()
        raise raised() if raised else StoreUnavailable("the store failed on purpose", where=call.key)

    return Fault("error", effect, on, prefix, when)


def latency(
    seconds: float,
    *,
    on: tuple[str, ...] = EVERYTHING,
    prefix: str = "",
    when: When = always,
    wait: Callable[[float], object] | None = None,
) -> Fault:
    """The call begins so much later. `wait` stands in for the waiting."""

    def effect(call: Call) -> Any:
        call.strike()
        (wait or threading.Event().wait)(seconds)
        return call.proceed()

    return Fault("latency", effect, on, prefix, when)


def short_read(missing: int = 1, *, on: tuple[str, ...] = READS, prefix: str = "", when: When = once) -> Fault:
    """The last bytes are missing, and nothing says so: what the contract forbids a store."""
    return _changed("short read", lambda data: data[: max(0, len(data) - missing)], on, prefix, when)


def bit_flip(at: int | None = None, *, on: tuple[str, ...] = READS, prefix: str = "", when: When = once) -> Fault:
    """One bit of what is read is wrong: at that byte (from the end when negative), in the middle without one."""

    def flipped(data: bytes) -> bytes:
        if not data:
            return data
        place = len(data) // 2 if at is None else at % len(data)
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

    return _changed("bit flip", flipped, on, prefix, when)


def lost_answer(*, on: tuple[str, ...] = WRITES, prefix: str = "", when: When = once) -> Fault:
    """The call happens and its answer is lost: the caller sees `StoreUnavailable`, whatever became of it."""

    def effect(call: Call) -> Any:
        call.strike()
        with suppress(DrError):
            call.proceed()
        raise StoreUnavailable("the answer was lost on purpose", where=call.key)

    return Fault("lost answer", effect, on, prefix, when)


def forgotten(*, prefix: str = "", when: When = once) -> Fault:
    """The store acknowledges an object and does not have it."""

    def effect(call: Call) -> Any:
        call.strike()

    return Fault("forgotten", effect, ("create",), prefix, when)


def stale_list(newest: int = 1, *, prefix: str = "", when: When = always) -> Fault:
    """A listing lacks the `newest` keys that were created through this wrapper. Strikes when it would have had one."""

    def effect(call: Call) -> Any:
        fresh = frozenset(list(call.created)[-newest:])
        for info in call.proceed():
            if info.key in fresh:
                call.strike()
            else:
                yield info

    return Fault("stale list", effect, ("list",), prefix, when)


def clock_off(by: timedelta, *, prefix: str = "", when: When = always) -> Fault:
    """The store's clock is wrong: what it says of the last change of an object is off by that much."""

    def wrong(info: ObjectInfo) -> ObjectInfo:
        return replace(info, modified_at=info.modified_at + by)

    def effect(call: Call) -> Any:
        found = call.proceed()
        if call.method == "head":
            call.strike()
            return wrong(found)
        return _shifted(found, wrong, call.strike)

    return Fault("clock off", effect, ("head", "list", "versions"), prefix, when)


def killed_at(number: int, *, after: bool = False, on: tuple[str, ...] = EVERYTHING, prefix: str = "") -> Fault:
    """The process is killed right before the `number`-th call, or right after it. Whatever it still does afterwards,
    in another thread or in a `finally`, reaches no store. Arm one such fault in all stores of a process, whose calls
    are then counted together, and give the next process another."""
    seen = itertools.count(1)

    def effect(call: Call) -> Any:
        mine = next(seen)
        if mine < number:
            return call.proceed()
        call.strike()
        if mine == number and after:
            with suppress(DrError):
                call.proceed()
        raise Killed

    return Fault("killed", effect, on, prefix, always)


def _changed(name: str, edit: Callable[[bytes], bytes], on: tuple[str, ...], prefix: str, when: When) -> Fault:
    def effect(call: Call) -> Any:
        right = call.proceed()
        wrong = edit(right)
        if wrong != right:
            call.strike()
        return wrong

    return Fault(name, effect, on, prefix, when)


def _shifted(found: Iterable[Any], wrong: Callable[[Any], Any], strike: Callable[[], None]) -> Any:
    for info in found:
        strike()
        yield wrong(info)
