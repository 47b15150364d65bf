"""Whose credentials can do what: where a thief of one would get what its role never needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dr_lib.model.region import Region, Role

SEPARATE = "`credentials: {reader: …, writer: …, verifier: …, janitor: …}`, with the policies of docs/iam"


def unseparated(regions: Iterable[Region]) -> Iterator[str]:
    """A warning for each region in S3 where one credential serves for what should take several, or one is missing.

    Directories and rclone remotes have no credentials here, and say nothing.
    """
    for region in regions:
        if region.store.url.startswith("s3:"):
            yield from (f"region {region.name}: {said}" for said in _warnings(region))


def _warnings(region: Region) -> Iterator[str]:
    named = region.credentials.by_role
    if len(named) == len(Role) and len(set(named.values())) == 1:
        yield f"one credential can read, write and delete everything; name one for each role: {SEPARATE}"
        return
    if Role.JANITOR in named and (same := [role for role in named if _shares(region, role)]):
        yield f"the janitor's credentials are the {same[0]}'s too, whose thief can delete; name one for each role"
    if Role.JANITOR not in named:
        yield "no janitor is named: pruning and healing are refused from here (as is right for a backup host)"
    for role, stand_in in ((role, region.credentials.stand_in(role)) for role in Role if role is not Role.JANITOR):
        if stand_in is None:
            yield f"no credentials of the {role} are named: what needs them is refused from here"
        elif stand_in is not role:
            yield f"the {role} is not named: the {stand_in}'s credentials, which can do more, serve in its place"


def _shares(region: Region, role: Role) -> bool:
    named = region.credentials.by_role
    return role is not Role.JANITOR and named[role] == named[Role.JANITOR]
