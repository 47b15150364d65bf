"""Two kinds of absence that callers must be able to tell apart: of an object, and of the whole container."""

from __future__ import annotations

from dr_lib.errors import NotFound


class ContainerMissing(NotFound):
    """The bucket or directory itself does not exist, so nothing is known about single objects in it."""


def container_missing(label: str, container: str) -> ContainerMissing:
    """The error for a container (`bucket dr-us-east`) that a store says does not exist."""
    return ContainerMissing(f"the {container} is missing", where=label, hint="create it with `drctl init`")


def key_missing(label: str, key: str) -> NotFound:
    """The error for an object that a store says does not exist."""
    return NotFound(f"no object {key!r}", where=label)
