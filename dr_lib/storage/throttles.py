"""The throttles of one configuration: every store of a region shares its paces, and a command's own go before them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Final, Literal, Self

from dr_lib.clock import Clock
from dr_lib.model.rates import RateLimits, Rates
from dr_lib.policy.throttling import rates_at
from dr_lib.storage.base import ContainerStore
from dr_lib.storage.throttled import Pace, ThrottledStore

Direction = Literal["upload", "download"]
EVERYWHERE: Final = ""


class Throttles:
    """Paces by region and direction, made when they are first needed. Thread-safe."""

    def __init__(
        self,
        limits: Mapping[str, RateLimits],
        clock: Clock,
        forced: Rates | None = None,
        make: Callable[[Callable[[], float | None]], Pace] = Pace,
    ) -> None:
        """`limits` by region. A rate of `forced` is shared by all regions and replaces theirs, at all hours."""
        self._limits = limits
        self._clock = clock
        self._forced = forced or Rates()
        self._make = make
        self._lock = threading.Lock()
        self._paces: dict[tuple[str, Direction], Pace] = {}

    def forced(self, rates: Rates) -> Self:
        """The same regions with a command's own rates."""
        return type(self)(self._limits, self._clock, rates, self._make)

    def over(self, region: str, store: ContainerStore) -> ContainerStore:
        """A region's `store` at its pace; the store itself when nothing limits it."""
        if self._forced == Rates() and region not in self._limits:
            return store
        return ThrottledStore(store, upload=self._pace(region, "upload"), download=self._pace(region, "download"))

    def _pace(self, region: str, direction: Direction) -> Pace:
        own: int | None = getattr(self._forced, direction)
        key = (region if own is None else EVERYWHERE, direction)
        with self._lock:
            if key not in self._paces:
                self._paces[key] = self._make(lambda: self._rate(region, direction) if own is None else own)
            return self._paces[key]

    def _rate(self, region: str, direction: Direction) -> float | None:
        limits = self._limits.get(region)
        rate: int | None = None if limits is None else getattr(rates_at(limits, self._clock()), direction)
        return rate
