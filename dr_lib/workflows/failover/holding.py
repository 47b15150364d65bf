"""Holding an endpoint's lease: taken in more than half of its regions, renewed while work goes on, and ended."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from dr_lib.clock import Clock, monotonic
from dr_lib.errors import DrError, IntegrityError, PermissionDenied, Refused, StoreUnavailable
from dr_lib.model.serving import Lease, LeasePolicy, Site
from dr_lib.policy.leases import objection, resumes
from dr_lib.vault.leases import newest_lease, write_lease
from dr_lib.vault.vault import Vault

_RENEWALS = 3
"""How often a lease is renewed in the time that one lasts."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who wants to move an endpoint where, to which point, and why."""

    endpoint: str
    holder: str
    to: Site
    point: str
    reason: str


class HeldLease:
    """A lease that is held. A context manager: leaving it stops the renewals and, where `end` was not called, ends it
    as given up."""

    def __init__(self, vaults: Sequence[Vault], policy: LeasePolicy, lease: Lease, clock: Clock) -> None:
        """`lease` is not written yet: see `take_lease`."""
        self._vaults = vaults
        self._policy = policy
        self._clock = clock
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._lost: DrError | None = None
        self._good_until = 0.0
        self.lease = lease
        self._thread = threading.Thread(target=self._renew, name="dr-lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._stop.set()
        self._thread.join()
        if not self.lease.done:
            self.end(f"given up: {error}" if error is not None else "given up")

    def take(self) -> None:
        """Write the first record; errors as `take_lease`."""
        with self._lock:
            self._write(self.lease)

    def step(self, name: str) -> None:
        """Note what is done next, which renews the lease, too. `Refused` (7) when it is not ours any more.

        Regions that do not answer for a moment stop nothing while the lease lasts: the note is for whoever looks.
        """
        self.check()
        with self._lock:
            try:
                self._write(self._next(step=name))
            except StoreUnavailable:
                self.check()

    def check(self) -> None:
        """Raise `Refused` (7) unless the lease is ours at this very moment."""
        if self._lost is not None or monotonic() >= self._good_until:
            what = f"the lease of {self.lease.endpoint} is not held any more"
            why = str(self._lost) if self._lost else "it could not be renewed in time"
            raise Refused(what, where=why, hint="nothing more was moved; look with `drctl serving status`, then again")

    def end(self, done: str) -> None:
        """Let the lease go and say how the move ended. What cannot be written ends with its time instead."""
        with self._lock:
            if self._lost is None and not self.lease.done:
                try:
                    self._write(self._next(step="end", done=done[:500]))
                except DrError:
                    self.lease = replace(self.lease, done=done)

    def _next(self, step: str | None = None, done: str = "") -> Lease:
        now = self._clock()
        return replace(
            self.lease,
            number=self.lease.number + 1,
            at=now,
            until=now if done else now + self._policy.ttl,
            step=step or self.lease.step,
            done=done,
        )

    def _write(self, lease: Lease) -> None:
        """In every region, in their order; more than half must take it."""
        begun, taken = monotonic(), 0
        failed: list[DrError] = []
        for vault in self._vaults:
            try:
                write_lease(vault, lease)
                taken += 1
            except DrError as error:
                if isinstance(error, Refused) and not isinstance(error, PermissionDenied):
                    self._lost = error  # somebody else has the number
                    raise
                failed.append(error)
        if taken < self._policy.needed:
            self.lease = replace(self.lease, number=lease.number)  # which some region may have: it is used up
            raise too_few(lease.endpoint, self._policy, failed)
        self.lease = lease
        self._good_until = begun + self._policy.ttl.total_seconds()

    def _renew(self) -> None:
        pause = self._policy.ttl.total_seconds() / _RENEWALS
        while not self._stop.wait(pause):
            with self._lock:
                try:
                    self._write(self._next())
                except Refused:
                    return
                except DrError:
                    continue  # until its time is over, which `check` knows


def take_lease(vaults: Sequence[Vault], policy: LeasePolicy, claim: Claim, clock: Clock) -> HeldLease:
    """Take the lease of an endpoint, or go on with the one that this holder has.

    `vaults` are those of the lease's regions that answered, in their order. `Refused` (7) while somebody else holds it,
    also where both take it at once; as `newest_of` where no majority can be read. Enter the result to keep it.
    """
    vaults, known = newest_of(vaults, claim.endpoint, policy)
    now = clock()
    why = objection(known, claim.holder, now)
    if why is not None:
        hint = "wait for it to end; `drctl serving status` shows how far it is"
        raise Refused(f"the lease of {claim.endpoint} is held: {why}", where=", ".join(policy.regions), hint=hint)
    number = 1 if known is None else known.number + 1
    goes_on = known if resumes(known, claim.holder, claim.to, now) else None
    lease = Lease(
        endpoint=claim.endpoint,
        number=number,
        holder=claim.holder,
        at=now,
        until=now + policy.ttl,
        operation=number if goes_on is None else goes_on.operation,
        to=claim.to,
        point=claim.point if goes_on is None else goes_on.point,
        step="begin" if goes_on is None else goes_on.step,
        reason=claim.reason,
    )
    held = HeldLease(vaults, policy, lease, clock)
    held.take()
    return held


def newest_of(vaults: Sequence[Vault], endpoint: str, policy: LeasePolicy) -> tuple[list[Vault], Lease | None]:
    """The vaults that can be read, and the last record in any of them.

    One whose record is damaged, or that does not let us in, counts as silent: every lease that is held stands in more
    than half of the regions, so that of more than half of them one has it. `StoreUnavailable` (6) where fewer answer,
    `IntegrityError` (4) where that is because of damage: then nobody knows who may move the endpoint.
    """
    read: list[Vault] = []
    found: list[Lease] = []
    failed: list[DrError] = []
    for vault in vaults:
        try:
            lease = newest_lease(vault, endpoint)
        except DrError as error:
            failed.append(error)
            continue
        read.append(vault)
        found += [] if lease is None else [lease]
    if len(read) < policy.needed:
        damaged = next((error for error in failed if isinstance(error, IntegrityError)), None)
        raise damaged or too_few(endpoint, policy, failed)
    return read, max(found, key=lambda lease: lease.number, default=None)


def too_few(endpoint: str, policy: LeasePolicy, failed: Sequence[DrError]) -> StoreUnavailable:
    """That no majority of the lease's regions answers."""
    regions = ", ".join(policy.regions)
    what = f"the lease of {endpoint} needs {policy.needed} of its regions, and fewer answer"
    hint = "`drctl doctor` tells more; when a region is gone for good, name others under `lease:` of the endpoint"
    return StoreUnavailable(what, where="; ".join(map(str, failed)) or regions, hint=hint)
