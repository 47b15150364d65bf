"""A switch that is a backend of HAProxy, moved by its runtime API.

What the runtime API sets is gone when HAProxy starts anew: have it keep its servers' state (`server-state-file`,
`load-server-state-from-file global`, and `show servers state` written there before a reload), and let its
configuration send requests to the primary alone (`disabled` at the standby).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from dr_lib.errors import StoreUnavailable, UsageError
from dr_lib.model.serving import HaproxySwitch, Site, Traffic
from dr_lib.serving.switches.haproxy_api import RuntimeApi, ServerState

UP_S: Final = 20.0
"""How long a server that was let in may take until HAProxy finds it well."""
DRAIN_S: Final = 30.0
"""How long requests that were begun may take to end."""
_PAUSE_S: Final = 0.05


class Haproxy:
    """The switch; see `Switch`. The new site is let in, and found well, before the old one is taken out."""

    def __init__(self, policy: HaproxySwitch, *, up_s: float = UP_S, drain_s: float = DRAIN_S) -> None:
        """Nothing is asked yet."""
        self._policy = policy
        self._api = RuntimeApi(policy.address)
        self._up_s, self._drain_s = up_s, drain_s

    def traffic(self) -> Traffic:
        """Servers that HAProxy sends requests to. One whose check fails counts: it is where they are meant to go."""
        states = {site: self._server(site) for site in Site}
        told = ", ".join(f"{state.name} {state.status}" for state in states.values())
        return Traffic(frozenset(site for site, state in states.items() if state.takes), told)

    def move(self, to: Site) -> None:
        """As `Switch.move`. `StoreUnavailable` (6) where HAProxy does not find the new server well; then it is taken
        out again, and the old one serves as before."""
        was = self._server(to)
        if not was.takes:
            # Its checks begin, and nobody is sent there: one that is ready HAProxy takes to be well until they fail.
            self._set(to, "drain")
        if not _waited(lambda: self._server(to).is_well, self._up_s):
            self._take_back(to, was)
            what = f"HAProxy does not find the server {self._policy.servers[to]!r} well: {self._server(to).status}"
            hint = "traffic stays where it was; is its health check of HAProxy's the right one?"
            raise StoreUnavailable(what, where=self._policy.address, hint=hint)
        self._set(to, "ready")
        self._set(to.other, "drain")
        _waited(lambda: self._server(to.other).sessions == 0, self._drain_s)
        self._set(to.other, "maint")

    def _take_back(self, site: Site, was: ServerState) -> None:
        if not was.takes:
            self._set(site, "maint")

    def _server(self, site: Site) -> ServerState:
        name, found = self._policy.servers[site], self._api.servers(self._policy.backend)
        if name not in found:
            what = f"the backend {self._policy.backend!r} has no server {name!r}"
            raise UsageError(what, where=self._policy.address, hint=f"servers there: {', '.join(found)}")
        return found[name]

    def _set(self, site: Site, state: str) -> None:
        self._api.set_state(self._policy.backend, self._policy.servers[site], state)


def _waited(question: Callable[[], bool], seconds: float) -> bool:
    """Ask until it is so; False where it was not in that time."""
    asking = Retrying(
        retry=retry_if_result(lambda yes: not yes), stop=stop_after_delay(seconds), wait=wait_fixed(_PAUSE_S)
    )
    try:
        return asking(question)
    except RetryError:
        return False
