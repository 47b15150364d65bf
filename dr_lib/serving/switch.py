"""What sends an endpoint's requests to one of its two sites."""

from __future__ import annotations

from typing import Protocol

from dr_lib.model.serving import Site, Traffic


class Switch(Protocol):
    """Reads and moves traffic. Nothing is remembered: what it says is asked of the real thing.

    `StoreUnavailable` (6) where that does not answer in seconds, `Refused` (7) where it does not allow it,
    `UsageError` (2) where it knows no such servers, record or service.
    """

    def traffic(self) -> Traffic:
        """Where requests go now."""
        ...

    def move(self, to: Site) -> None:
        """Send requests to `to` alone; returns when that is so.

        Idempotent. The site that is taken over from finishes what it has begun. A failure may leave both serving, never
        nobody who did; the same call again goes on.
        """
        ...
