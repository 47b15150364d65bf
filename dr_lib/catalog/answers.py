"""What to make of regions' answers: use the ones that opened, keep an error until all had their turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from dr_lib.catalog.observe import Answer, Observation
from dr_lib.errors import DrError, StoreUnavailable
from dr_lib.policy.choice import Choice, choose
from dr_lib.vault.vault import Vault


def open_ones(answers: Mapping[str, Answer], regions: Sequence[str]) -> list[Vault]:
    """The vaults of `regions` that opened, in that order."""
    return [vault for region in regions if isinstance(vault := answers[region], Vault)]


def open_or_raise(answer: Answer) -> Vault:
    """The vault, or the reason why it did not open."""
    if isinstance(answer, DrError):
        raise answer
    return answer


@contextmanager
def kept_in(failed: list[DrError]) -> Iterator[None]:
    """Keeps an error of the block for later, so that other regions still get their turn."""
    try:
        yield
    except DrError as error:
        failed.append(error)


def raise_first(failed: Sequence[DrError]) -> None:
    """Raise the first of the errors that were kept, if any."""
    if failed:
        raise failed[0]


def choose_point(asset: str, known: Observation, wanted: str, at: datetime | None = None) -> Choice:
    """As `choose`; when every silent region has a reason that no retry mends, the first reason is raised instead."""
    try:
        return choose(asset, known.points, wanted, at=at, silent=tuple(known.silent))
    except StoreUnavailable:
        reasons = list(known.silent.values())
        if reasons and not any(reason.retryable for reason in reasons):
            raise reasons[0] from None
        raise
