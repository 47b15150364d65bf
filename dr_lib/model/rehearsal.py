"""What a drill may really do to a region, and with which commands."""

from __future__ import annotations

from dataclasses import dataclass

Command = tuple[str, ...]
"""A program and its arguments, run without a shell; empty: there is no such command. Holds no secret."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The levers of a region: `lose` takes it away and `give_back` brings it back, `revoke` makes it refuse our
    credentials and `reinstate` makes it take them again; each must be done within `within_s` seconds, and the undoing
    ones must be safe to repeat. `damage`: objects may be damaged and deleted with the janitor's credentials.
    """

    lose: Command = ()
    give_back: Command = ()
    revoke: Command = ()
    reinstate: Command = ()
    damage: bool = False
    within_s: float = 120.0


NO_LEVERS = Rehearsal()
"""Nothing is allowed: drills keep away from the region."""
