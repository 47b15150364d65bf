"""One region, pruned: what older plans name is deleted, what may go now is planned. Dry unless it is told to apply."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from dr_lib.errors import DrError, IntegrityError, NotFound
from dr_lib.format import layout
from dr_lib.model.prune import PrunePlan
from dr_lib.vault.prune_plans import finish, is_withdrawn, load_plan, open_plans, withdraw
from dr_lib.vault.writers import refuse_unsigned
from dr_lib.workflows.prune.first_phase import Decision, Proposal, Scope, propose, write_plan
from dr_lib.workflows.prune.second_phase import CAPPED, Budget, Executed, execute, sweep
from dr_lib.workflows.prune.survey import Summaries, survey


@dataclass(frozen=True, slots=True)
class Waiting:
    """A plan that stands and when its grace period is over."""

    plan: PrunePlan
    due_at: datetime


@dataclass
class RegionPruned:
    """What was done in a region, or would be. `executed` plans came to their second phase; those `waiting` did not;
    `due` is what would be deleted now, if it were applied. `written` is the plan that was made of `proposal`. `failed`
    is what went wrong after something was done."""

    region: str
    executed: list[Executed] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    due: list[Waiting] = field(default_factory=list)
    proposal: Proposal | None = None
    written: PrunePlan | None = None
    warnings: list[str] = field(default_factory=list)
    failed: DrError | None = None


def prune_region(scope: Scope, decision: Decision, budget: Budget, *, apply: bool) -> RegionPruned:
    """Second phase of every plan whose grace period is over, then the first phase of a new one. Safe to repeat.

    Raises what went wrong before anything was done; afterwards it stands in `failed` beside what was done: a store too
    full for a new plan has room again when an older one was executed.
    """
    result = RegionPruned(scope.vault.region)
    known: Summaries = {}
    if apply:
        refuse_unsigned(scope.vault)
    for found in _standing(scope, result, apply=apply):
        (result.due if found.due_at <= scope.now else result.waiting).append(found)
    if apply:
        _execute(scope, decision, budget, result, known)
    try:
        _plan(scope, decision, result, known, apply=apply)
    except DrError as error:
        if not result.executed:
            raise
        result.failed = error
    if apply:
        sweep(scope.janitor)
    return result


def _standing(scope: Scope, result: RegionPruned, *, apply: bool) -> list[Waiting]:
    """Plans that stand, by their own age: counted from the later of what they say and what the store says."""
    standing = []
    for prune in open_plans(scope.vault):
        try:
            plan = load_plan(scope.vault, prune)
            since = max(plan.at, scope.vault.store.head(layout.prune_key(prune)).modified_at)
        except NotFound:
            continue  # another janitor swept it
        except IntegrityError as error:
            result.warnings.append(f"a plan cannot be believed and is not followed: {error}")
            if apply and withdraw(scope.vault, prune):
                finish(scope.vault, prune)
            continue
        if scope.asset in ("", plan.asset):
            standing.append(Waiting(plan, since + scope.grace))
    return standing


def _execute(scope: Scope, decision: Decision, budget: Budget, result: RegionPruned, known: Summaries) -> None:
    while result.due and not budget.is_spent:
        result.executed.append(execute(scope, result.due.pop(0).plan, decision, budget, known))
    # Of what stays due the next run goes on: the cap of this one is reached.


def _plan(scope: Scope, decision: Decision, result: RegionPruned, known: Summaries, *, apply: bool) -> None:
    seen = survey(scope.vault, scope.janitor, known)
    standing = [found.plan for found in (*result.waiting, *result.due)]
    plans = [plan for plan in standing if not is_withdrawn(scope.vault, plan.id)]
    plans += [done.plan for done in result.executed if done.state == CAPPED]
    result.proposal = propose(scope, seen, decision.expired, plans)
    result.warnings += [f"somebody hid {name.asset}/{name.point} behind a deletion marker" for name in seen.hidden]
    if apply:
        result.written = write_plan(scope, seen, result.proposal)
