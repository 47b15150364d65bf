"""A region is lost, or refuses us, by its team's own commands."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from dr_lib.errors import Refused
from dr_lib.model.rehearsal import Command
from dr_lib.standby.child_process import last_words, run_child
from dr_lib.workflows.drill.blows.blow import Tools

_LEAD: Final = (sys.executable, "-I", "-m", "dr_lib.standby.lead")


@dataclass(frozen=True, slots=True)
class CommandBlow:
    """`does` is run to deal the blow and `undoes` to undo it, each within `within_s` seconds and without a shell.
    A command ends with the drill that runs it."""

    region: str
    name: str
    does: Command
    undoes: Command
    within_s: float

    @property
    def target(self) -> str:
        """The region."""
        return f"region {self.region}"

    def strike(self, tools: Tools) -> str:
        """`Refused` (7) when the command fails or takes too long: then half of it may be done."""
        self._run(self.does, self.name, tools)
        return f"the command `{self.name}` of {self.region} was run"

    def undo(self, tools: Tools) -> str | None:
        """Run the other command, also when it is not known whether the first one did anything."""
        self._run(self.undoes, f"the undoing of {self.name}", tools)
        return None

    def _run(self, argv: Command, name: str, tools: Tools) -> None:
        where, hint = f"region {self.region}, rehearsal", "run it by hand to see; `drctl drill --undo` tries again"
        try:
            lead = [*_LEAD, str(os.getpid())]
            limit = self.within_s
            # What brings a region back may start its server, which is to stay.
            done = run_child([*lead, *argv], environ=tools.environ, cwd=tools.cwd, timeout_s=limit, leaves=True)
        except subprocess.TimeoutExpired:
            raise Refused(f"{name} was not done in {self.within_s:.0f} s", where=where, hint=hint) from None
        if done.returncode != 0:
            words = last_words(done.stderr)
            raise Refused(f"{name} failed with exit code {done.returncode}: {words}", where=where, hint=hint)
