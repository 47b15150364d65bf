"""Bringing a tree into a staging directory: what a try before this one wrote is kept, and everything is checked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from dr_lib.clock import monotonic
from dr_lib.errors import IntegrityError
from dr_lib.model.manifest import PackRef
from dr_lib.policy.restore_plan import RangeFetch
from dr_lib.progress import Progress
from dr_lib.vault.vault import Vault
from dr_lib.workflows.restore.check import Checker
from dr_lib.workflows.restore.fetch import Repairs, cores, fetch_all
from dr_lib.workflows.restore.flow import Bound
from dr_lib.workflows.restore.place import Placing
from dr_lib.workflows.restore.staging import Staging
from dr_lib.workflows.restore.tree import Tree, finish_tree, make_directories


@dataclass(frozen=True, slots=True)
class Landed:
    """What it took: bytes that need not be fetched any more, seconds in which the link held it up, when all was written
    and when it was checked, repairs."""

    kept: int
    fetch_s: float
    fetched_at: float
    checked_at: float
    repairs: frozenset[str]


def identity_of(manifest: bytes, selection: Sequence[str], fetches: Sequence[RangeFetch]) -> str:
    """What must be equal for one try of a restore to go on where another ended: the point, the selection, the plan."""
    ranges = [(fetch.pack, fetch.start, fetch.length) for fetch in fetches]
    return hashlib.sha256(repr((hashlib.sha256(manifest).hexdigest(), list(selection), ranges)).encode()).hexdigest()


class Landing:
    """A tree on its way into `staging`, which was entered."""

    def __init__(
        self,
        vaults: Sequence[Vault],
        packs: Sequence[PackRef],
        tree: Tree,
        fetches: Sequence[RangeFetch],
        staging: Staging,
        progress: Progress,
    ) -> None:
        """The `vaults` are asked in their order; `fetches` is the plan for the outputs of `tree`."""
        self._vaults = vaults
        self._packs = packs
        self._tree = tree
        self._staging = staging
        self._progress = progress
        self._placing = Placing(staging.root, tree.outputs)
        self._fetches = fetches
        self._bound = Bound(cores())
        self._numbers = {id(fetch): number for number, fetch in enumerate(self._fetches)}

    def land(self) -> Landed:
        """Make the tree below the staging's root, all of it checked; what is raised is said at `restore`.

        A file that is not what it should be and was in part written by a try before this one is fetched once more.
        """
        kept = [fetch for number, fetch in enumerate(self._fetches) if number in self._staging.done]
        resumed = _outputs_of(kept)
        self._prepare()
        self._progress.advance(sum(fetch.wanted for fetch in kept))
        missing = [fetch for number, fetch in enumerate(self._fetches) if number not in self._staging.done]
        outputs = self._tree.outputs
        unproven = [n for n, output in enumerate(outputs) if output.checks and (n in resumed or not output.proven)]
        repairs, fetched_at, wrong = self._bring(missing, unproven, kept)
        again = {number: what for number, what in wrong.items() if number in resumed}
        if len(again) == len(wrong) and again:
            spoilt = [fetch for fetch in self._fetches if _outputs_of([fetch]) & set(again)]
            for number in again:
                self._placing.reserve(number, afresh=True)
            more, _, wrong = self._bring(spoilt, list(again), [])
            repairs.notes.update(more.notes)
        self._refuse(wrong)
        checked_at = monotonic()
        finish_tree(self._staging.root, self._tree, [o for n, o in enumerate(outputs) if n in resumed or not o.at_once])
        kept_bytes = sum(fetch.wanted for fetch in kept)
        return Landed(kept_bytes, self._bound.fetch_s, fetched_at, checked_at, frozenset(repairs.notes))

    def _prepare(self) -> None:
        make_directories(self._staging.root, self._tree.directories)
        for number in range(len(self._tree.outputs)):
            self._placing.reserve(number)

    def _bring(
        self, fetches: Sequence[RangeFetch], unproven: Sequence[int], kept: Sequence[RangeFetch]
    ) -> tuple[Repairs, float, dict[int, str]]:
        """Fetch and write; gives what had to be repaired, the moment when all was written, and what is wrong."""
        with Checker(self._placing.path, self._tree.outputs, unproven) as checker:
            for fetch in kept:
                checker.wrote(fetch)

            def done(fetch: RangeFetch) -> None:
                self._staging.written(self._numbers[id(fetch)])
                checker.wrote(fetch)
                self._progress.advance(fetch.wanted)

            repairs = fetch_all(self._vaults, self._packs, fetches, self._placing, done, bound=self._bound)
            fetched_at = monotonic()
            return repairs, fetched_at, checker.wrong()

    def _refuse(self, wrong: dict[int, str]) -> None:
        if wrong:
            what = f"{next(iter(wrong.values()))} is not the one that was backed up"
            raise IntegrityError(what, where=str(self._staging.root), hint="check this disk")


def _outputs_of(fetches: Sequence[RangeFetch]) -> set[int]:
    return {write.output for fetch in fetches for use in fetch.frames for write in use.writes}
