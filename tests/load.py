"""Callers: several threads that ask an address all the time, and remember when what came back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import httpx

from dr_lib.clock import monotonic


@dataclass(frozen=True)
class Call:
    """One request: when it was begun and ended, and whether it was answered rightly."""

    begun: float
    ended: float
    is_right: bool
    what: str


class Load:
    """Asks from entering to leaving the context. `right` judges an answer; each caller keeps its connection."""

    def __init__(self, url: str, body: Any, right: Callable[[httpx.Response], bool], callers: int = 3) -> None:
        self._url, self._body, self._right = url, body, right
        self._enough = threading.Event()
        self._lock = threading.Lock()
        self._first = threading.Event()
        self.calls: list[Call] = []
        self._threads = [threading.Thread(target=self._ask_on, daemon=True) for _ in range(callers)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        assert self._first.wait(60), "nobody was answered"
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def bad(self) -> list[Call]:
        """Requests that were not answered rightly."""
        return [call for call in self.calls if not call.is_right]

    def share_outside(self, begin: float, end: float) -> float:
        """Of the requests that touched nothing between these moments, the share that was answered rightly."""
        outside = [call for call in self.calls if call.ended < begin or call.begun > end]
        assert outside
        return sum(call.is_right for call in outside) / len(outside)

    def _ask_on(self) -> None:
        with httpx.Client(timeout=10, trust_env=False) as client:
            while not self._enough.is_set():
                call = self._one(client)
                with self._lock:
                    self.calls.append(call)
                self._first.set()
                self._enough.wait(0.02)

    def _one(self, client: httpx.Client) -> Call:
        begun = monotonic()
        try:
            answer = client.post(self._url, json=self._body)
        except httpx.HTTPError as error:
            return Call(begun, monotonic(), is_right=False, what=type(error).__name__)
        is_right = answer.status_code == 200 and self._right(answer)
        return Call(begun, monotonic(), is_right, str(answer.status_code))
