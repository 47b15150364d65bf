"""Whatever two writers, a replicator, a verifier, a healer and a janitor do to two vaults in any order, killed at any
call, with any clock: no committed point is lost, each comes back byte for byte, and none shows before it is whole.

`DR_MACHINE_RUNS` and `DR_MACHINE_STEPS` make it larger (`make machine`).
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dr_lib.errors import IntegrityError, NotFound, Refused, SourceUnstable, StoreUnavailable
from dr_lib.format import layout
from dr_lib.runtime import Runtime
from dr_lib.testing.faults import Killed
from tests.properties.vault_world import ASSETS, CLASSES, KINDS, REGIONS, Files, Mishap, VaultWorld
from tests.world import flip, tree

HOME, AWAY = REGIONS
WRITERS = ("first writer", "second writer")
NOISE = random.Random(7).randbytes(5000)
assets = st.sampled_from(ASSETS)
mishaps = (
    st.none()
    | st.builds(Mishap, st.sampled_from(KINDS), st.integers(1, 40))
    | st.builds(Mishap, st.just("forgotten"), forgets=st.sampled_from(CLASSES))
)
contents = st.sampled_from([b"", b"in both " * 300, *(bytes([number]) * 3000 for number in range(3)), NOISE])

picks = st.integers(0, 1 << 16)
"""Which of those that there are; always drawn alike, for how many there are is up to threads too."""
T = TypeVar("T")


def chosen(among: Sequence[T], pick: int) -> T | None:
    """One of them; None when there is none."""
    return among[pick % len(among)] if among else None


@dataclass
class Run:
    """A backup under way: the point that it will be, what it holds, and the steps that are left."""

    asset: str
    point: str
    files: Files
    steps: list[Callable[[Runtime], Any]]
    planned_at: int
    forgetful: bool
    """Whether the store may have forgotten a step that it acknowledged."""


class VaultMachine(RuleBasedStateMachine):
    """Each rule is a process of its own. What a mishap cut short may be tried again, or never."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dr-machine-"))
        self.world = VaultWorld(self.folder)
        self.runs: dict[str, Run] = {}
        self.known: dict[tuple[str, str], Files] = {}
        self.seen: set[tuple[str, str, str]] = set()
        self.pruned: set[tuple[str, str]] = set()
        self.prune_was_cut_short = False

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @rule(asset=assets, name=st.sampled_from(["shared", "own", "more"]), content=contents, hours=st.integers(-72, 72))
    def time_passes(self, asset: str, name: str, content: bytes, hours: int) -> None:
        """A source changes, and a clock is set, forward or back."""
        self.world.write(asset, name, content)
        self.world.clock.advance(timedelta(hours=hours))

    @rule(writer=st.sampled_from(WRITERS), asset=assets, mishap=mishaps)
    def plan(self, writer: str, asset: str, mishap: Mishap | None) -> None:
        files = self.world.files(asset)
        planned = self.do(mishap, lambda runtime: runtime.plan_backup(asset, HOME))
        if planned is not None:
            point = planned["run"]
            steps = [lambda r, n=n: r.store_shard(asset, HOME, point, n) for n in range(planned["shards"])]
            steps += [lambda r: r.record_proof(asset, HOME, point), lambda r: r.commit_backup(asset, HOME, point)]
            forgetful = mishap is not None and mishap.kind == "forgotten"
            self.runs[writer] = Run(asset, point, files, steps, self.world.changes, forgetful)
            self.known[asset, point] = files

    @rule(pick=picks, mishap=mishaps)
    def go_on(self, pick: int, mishap: Mishap | None) -> None:
        """The next step of a run; a step that failed is the next one again."""
        writer = chosen(sorted(self.runs), pick)
        if writer is None:
            return
        run = self.runs[writer]
        try:
            done = self.do(mishap, run.steps[0])
        except SourceUnstable:
            assert self.world.touched(run.asset) > run.planned_at
            del self.runs[writer]
            return
        except (IntegrityError, NotFound, Refused):
            assert run.forgetful or self.prune_was_cut_short, "every step before this one was done"
            del self.runs[writer]
            return
        run.forgetful |= mishap is not None and mishap.kind == "forgotten"
        if done is not None:
            del run.steps[0]
        if not run.steps:
            assert (HOME, run.asset, run.point) in self.world.committed()
            del self.runs[writer]

    @rule(pick=picks)
    def commit_too_early(self, pick: int) -> None:
        writer = chosen(sorted(w for w, run in self.runs.items() if len(run.steps) > 1), pick)
        if writer is None:
            return
        run = self.runs[writer]
        try:
            done = self.do(None, lambda runtime: runtime.commit_backup(run.asset, HOME, run.point))
        except (Refused, SourceUnstable):
            return
        except (IntegrityError, NotFound):
            assert run.forgetful
            return
        assert done is None, "a run was committed before all of it was stored"

    @rule(asset=assets, regions=st.sampled_from([None, [HOME], [AWAY], [AWAY, HOME]]), mishap=mishaps)
    def back_up(self, asset: str, regions: list[str] | None, mishap: Mishap | None) -> None:
        made = self.do(mishap, lambda runtime: runtime.backup(asset, regions))
        if made is not None:
            for region in regions or REGIONS:
                assert (region, asset, made["point"]) in self.world.committed()

    @rule(asset=assets, mishap=mishaps)
    def replicate(self, asset: str, mishap: Mishap | None) -> None:
        if self.do(mishap, lambda runtime: runtime.replicate(asset)) is not None:
            home, away = ({p for r, a, p in self.world.committed() if (r, a) == (region, asset)} for region in REGIONS)
            kept = {point for a, point in self.pruned if a == asset}
            assert home - kept == away - kept

    @rule(region=st.sampled_from(REGIONS), mode=st.sampled_from(["structure", "full"]), mishap=mishaps)
    def verify(self, region: str, mode: str, mishap: Mishap | None) -> None:
        done = self.do(mishap, lambda runtime: runtime.verify(region=region, mode=mode))
        assert done is None or done["ok"], "nothing was damaged"

    @rule(pick=picks, mishap=mishaps)
    def restore(self, pick: int, mishap: Mishap | None) -> None:
        found = chosen(sorted(self.seen), pick)
        if found is None:
            return
        region, asset, point = found
        target = self.folder / "restored"
        done = self.do(mishap, lambda runtime: runtime.restore(asset, str(target), point=point, region=region))
        if done is not None:
            assert {name: facts[-1] for name, facts in tree(target).items() if name != "."} == self.known[asset, point]
        else:
            assert not target.exists()
        shutil.rmtree(target, ignore_errors=True)

    @rule(asset=st.none() | assets, mishap=mishaps)
    def prune(self, asset: str | None, mishap: Mishap | None) -> None:
        """Plans and deletes. What a run under way has stored may be given up for dead."""
        before = {asset: self.newest_verified(asset) for asset in ASSETS}
        done = None
        with suppress(Refused):
            done = self.do(mishap, lambda runtime: runtime.prune(asset, apply=True))
        self.prune_was_cut_short |= done is None
        for run in self.runs.values():
            run.forgetful = True
        now = self.world.committed()
        self.pruned |= {(asset, point) for _, asset, point in self.seen - now}
        self.seen &= now
        for name, verified in before.items():
            assert verified is None or verified in {point for _, a, point in now if a == name}

    def newest_verified(self, asset: str) -> str | None:
        """The newest point of which a copy is verified."""
        points = self.world.process().points(asset)
        return max((point["point"] for point in points if "verified" in point["copies"].values()), default=None)

    @rule(pick=picks, region=st.sampled_from(REGIONS), gone=st.booleans(), mishap=mishaps)
    def rot_and_heal(self, pick: int, region: str, gone: bool, mishap: Mishap | None) -> None:  # noqa: FBT001
        """Something rots or vanishes that the other region has; healing, cut short or not, brings it
        back."""
        assert self.findings(region) == []
        key = chosen(self.in_both(), pick)
        if key is None:
            return
        store = self.world.stores[region]
        if gone:
            store.delete(key, store.head(key).tag)
        else:
            store.replace(key, flip(store.get(key)), store.head(key).tag)
        assert self.findings(region) != []
        self.do(mishap, lambda runtime: runtime.heal(region=region))
        healed = self.world.process().heal(region=region)
        assert healed["ok"], healed
        assert self.findings(region) == []

    def findings(self, region: str) -> list[str]:
        """What a full verification of a region finds."""
        done = self.world.process().verify(region=region)
        return [finding for one in (*done["results"], *done["runs"]) for finding in one["findings"]]

    def in_both(self) -> list[str]:
        """Packs and manifests that both regions have, and a point needs."""
        shown = [{info.key for info in self.world.stores[region].list()} for region in REGIONS]
        vault = self.world.process()._wiring.vault(HOME)
        summaries = [vault.summary(name.asset, name.point) for name in vault.points()]
        needed = {layout.pack_key(pack.sha256) for summary in summaries for pack in summary.packs}
        return sorted(key for key in shown[0] & shown[1] if key in needed or key.startswith(layout.POINTS))

    @invariant()
    def every_point_is_whole_and_none_is_lost(self) -> None:
        now = self.world.committed()
        assert self.seen <= now, "a committed point is gone"
        self.seen = now
        for region, asset, point in sorted(now):
            expected = self.known.setdefault((asset, point), self.world.files(asset))
            assert self.world.content(region, asset, point) == expected

    def do(self, mishap: Mishap | None, work: Callable[[Runtime], Any]) -> Any:
        """What `work` gives in a fresh process; None when the mishap cut it short."""
        try:
            return work(self.world.process(mishap))
        except Killed:
            return None
        except (IntegrityError, Refused):
            if (mishap is None or mishap.kind != "forgotten") and not self.prune_was_cut_short:
                raise
            return None
        except StoreUnavailable:
            assert mishap is not None
            assert not mishap.kind.startswith("killed")
            return None


VaultMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("DR_MACHINE_RUNS", "40")),
    stateful_step_count=int(os.environ.get("DR_MACHINE_STEPS", "30")),
    derandomize="DR_MACHINE_RUNS" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    print_blob=True,
)
TestVaultMachine = VaultMachine.TestCase
