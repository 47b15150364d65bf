"""Asking an endpoint's public address all the time, beside what is done about it."""

from __future__ import annotations

import threading
from typing import Self

from dr_lib.clock import monotonic
from dr_lib.model.serving import Endpoint
from dr_lib.policy.health import Said
from dr_lib.policy.outage import Outage, outage
from dr_lib.serving.asking import Asker


class OutageMeter:
    """Asks from a thread of its own for as long as the context lasts; the interval is the health check's."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Errors as `Asker`."""
        self._endpoint = endpoint
        self._asker = Asker(endpoint.health)
        self._heard: list[tuple[float, Said]] = []
        self._last_begun = 0.0
        self._news = threading.Condition()
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="dr-outage", daemon=True)

    def measured(self) -> Outage:
        """What was heard so far."""
        with self._news:
            return outage(tuple(self._heard))

    def hear_once_more(self) -> None:
        """Return when a question that is asked from now on was answered, or got no answer: what was measured then says
        how it is now. Waits no longer than two questions take."""
        begun = monotonic()
        patience = 2 * self._endpoint.health.timeout.total_seconds() + self._endpoint.health.interval.total_seconds()
        with self._news:
            self._news.wait_for(lambda: self._last_begun >= begun, patience)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _watch(self) -> None:
        pause = self._endpoint.health.interval.total_seconds()
        with self._asker:
            while not self._enough.is_set():
                begun = monotonic()
                said = self._asker.ask(self._endpoint.url).said
                with self._news:
                    self._heard.append((monotonic(), said))
                    self._last_begun = begun
                    self._news.notify_all()
                self._enough.wait(pause)
