"""How something stands, as monitoring systems say it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The four words of the Nagios plugin protocol, in the order of their codes."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"

    @property
    def code(self) -> int:
        """The exit code that the protocol gives it."""
        return tuple(State).index(self)

    @property
    def rank(self) -> int:
        """Greater is worse: what is known to be lost comes before what nobody knows, and that before what can wait."""
        return (State.OK, State.WARNING, State.UNKNOWN, State.CRITICAL).index(self)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A state and why, the first reason being the one that decided; a reason is a sentence without its full stop."""

    state: State
    reasons: tuple[str, ...]


def worst(states: Iterable[State]) -> State:
    """The worst of them; ok when there are none."""
    return max(states, key=lambda state: state.rank, default=State.OK)
