"""Where symbolic links lead, decided from their texts alone: nothing is followed, nothing is opened."""

from __future__ import annotations

from collections.abc import Mapping

MAX_HOPS = 40
"""Links followed before a chain counts as a loop (Linux has the same limit, path_resolution(7))."""


class LeadsOutside(Exception):
    """The path leaves the tree at some step. Callers turn it into an error of their own."""


def resolve(path: str, links: Mapping[str, str]) -> str | None:
    """Where `path` leads, as a path within the tree (`.` is its root); None for a loop.

    `links` maps the path of every link of the tree to its text. The path found need not exist. Raises `LeadsOutside`
    when a step goes above the root or when a link's text is absolute: that would point at another tree once restored.
    """
    pending = path.split("/")[::-1]
    walked: list[str] = []
    hops = 0
    while pending:
        target = _step(walked, pending.pop(), links)
        if target is None:
            continue
        hops += 1
        if hops > MAX_HOPS:
            return None
        walked.pop()
        pending += target.split("/")[::-1]
    return "/".join(walked) or "."


def leads_outside(path: str, links: Mapping[str, str]) -> bool:
    """Whether the link at `path` leads out of the tree; one that dangles or loops within it does not."""
    try:
        resolve(path, links)
    except LeadsOutside:
        return True
    return False


def _step(walked: list[str], part: str, links: Mapping[str, str]) -> str | None:
    """Take one step; the text of the link that it lands on, if any."""
    if part in ("", "."):
        return None
    if part == "..":
        if not walked:
            raise LeadsOutside
        walked.pop()
        return None
    walked.append(part)
    target = links.get("/".join(walked))
    if target is not None and target.startswith("/"):
        raise LeadsOutside
    return target
