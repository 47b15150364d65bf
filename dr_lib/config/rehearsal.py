"""`rehearsal:` of a region: what drills may really do to it."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from dr_lib.config import values
from dr_lib.config.strict import Strict
from dr_lib.model.rehearsal import Command, Rehearsal

_FORM: Final = 'write a program and its arguments as a list: ["aws", "ec2", "stop-instances", …]'


def _command(value: object) -> Command:
    if not isinstance(value, list) or not value:
        raise ValueError(f"this is no command; {_FORM}")
    words = tuple(values.text(word) for word in value)
    if any(values.holds_access_key(word) for word in words):
        raise ValueError("this holds a secret, which everybody on the machine could read; have the command fetch it")
    return words


def _seconds(value: object) -> float:
    return values.duration(value).total_seconds()


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is no switch; write true or false")
    return value


OneCommand = Annotated[Command, BeforeValidator(_command)]


class RehearsalSchema(Strict):
    """The levers; each that does harm comes with the one that undoes it."""

    lose: OneCommand = ()
    give_back: OneCommand = Field(default=(), alias="return")
    revoke: OneCommand = ()
    reinstate: OneCommand = ()
    damage: Annotated[bool, BeforeValidator(_switch)] = False
    within: Annotated[float, BeforeValidator(_seconds)] = 120.0

    @model_validator(mode="after")
    def _undone(self) -> Self:
        pairs = {"lose": (self.lose, self.give_back, "return"), "revoke": (self.revoke, self.reinstate, "reinstate")}
        for name, (does, undoes, undoing) in pairs.items():
            if bool(does) != bool(undoes):
                raise ValueError(f"one command does harm and another undoes it; name both {name}: and {undoing}:")
        return self

    def fact(self) -> Rehearsal:
        """As the program sees it."""
        return Rehearsal(self.lose, self.give_back, self.revoke, self.reinstate, self.damage, self.within)
