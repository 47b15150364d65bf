"""Undoing: what this drill did, and what earlier ones left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dr_lib.errors import DrError, Refused
from dr_lib.workflows.drill.blows.blow import Tools
from dr_lib.workflows.drill.journal import Busy, Entry, Journal

ToolsFor = Callable[[Entry], Tools]


@dataclass(frozen=True, slots=True)
class Undone:
    """An entry that was undone; `notes` are what a person should know. `failed` is what kept it from being undone."""

    entry: Entry
    notes: tuple[str, ...] = ()
    failed: DrError | None = None


def undo_entry(entry: Entry, journal: Journal, tools: Tools) -> Undone:
    """Undo one entry, whose targets are locked, the last blow first; what fails stays in the journal for the next try.

    A blow that cannot be undone does not keep the others from it. Safe to repeat.
    """
    notes: list[str] = []
    failed: DrError | None = None
    for blow in reversed(entry.blows):
        try:
            note = blow.undo(tools)
        except DrError as error:
            failed = failed or error
        except OSError as error:
            failed = failed or Refused(f"this cannot be undone: {error}", where=blow.target)
        else:
            notes += [note] if note else []
    if failed is None:
        journal.remove(entry)
    return Undone(entry, tuple(notes), failed)


def undo_leftovers(journal: Journal, tools_for: ToolsFor) -> list[Undone]:
    """Undo what drills left that are dead; a living one's targets are locked, and it is left alone."""
    journal.sweep()
    found = []
    for entry in journal.entries():
        try:
            with journal.locked(entry.targets):
                if journal.has(entry):
                    found.append(undo_entry(entry, journal, tools_for(entry)))
        except Busy:
            continue  # its drill is at work
    return found


def refuse_unless_undone(done: list[Undone]) -> None:
    """Raise `Refused` (7) when something of an earlier drill could not be undone: nothing may be built on that."""
    for one in done:
        if one.failed is not None:
            raise Refused(
                f"what drill {one.entry.drill} ({one.entry.scenario}) did could not be undone: {one.failed.what}",
                where=one.failed.where,
                hint=f"{one.failed.hint or 'mend that'}; then `drctl drill --undo`",
            )
