"""The world of the runbook in which a model's callers get no answer: two servers, and HAProxy before them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from dr_lib.model.serving import Site
from tests.runbooks.world_parts import TABLES, backup
from tests.stack.haproxy import haproxy
from tests.toy_server import MODEL, ToyServer
from tests.world import weights

if TYPE_CHECKING:
    from tests.runbooks.runbook_world import RunbookWorld

SERVED: dict[str, Any] = {**TABLES, "kind": "model", "smoke": {"loader": "safetensors"}}


def endpoint_down(world: RunbookWorld) -> None:
    """A served model with verified copies in three regions; the standby's server has nothing to serve yet."""
    world.own("minilm", SERVED, lambda live: weights(live / MODEL))
    world.names |= {"ENDPOINT": "minilm-api"}
    (world.folder / Site.PRIMARY).mkdir()
    (world.folder / Site.PRIMARY / "current").symlink_to(world.live["minilm"])
    for site in Site:
        world.servers[site] = world.running.enter_context(ToyServer(world.folder / site / "current"))
    ports = {site.value: toy.port for site, toy in world.servers.items()}
    proxy = world.running.enter_context(haproxy(world.folder / "proxy", servers=ports))
    switch = {"kind": "haproxy", "address": f"unix:{proxy.socket}", "backend": proxy.backend}
    served = {
        "asset": "minilm",
        "url": f"http://127.0.0.1:{proxy.front}",
        "health": {"interval": "50ms", "timeout": "5s"},
        "switch": switch | {site.value: site.value for site in Site},
        **{site.value: _site(world.folder / site, toy) for site, toy in world.servers.items()},
    }
    world.add("serving", yaml.safe_dump({"minilm-api": served}))
    world.runtime.initialize()
    backup(world, "minilm")


def _site(directory: Path, toy: ToyServer) -> dict[str, Any]:
    return {"url": toy.url, "directory": str(directory), "reload": "/reload"}


def _die(world: RunbookWorld) -> None:
    world.servers[Site.PRIMARY].close()


def _come_back(world: RunbookWorld) -> None:
    old = world.servers[Site.PRIMARY]
    world.servers[Site.PRIMARY] = world.running.enter_context(ToyServer(old.directory, old.port))


EVENTS: dict[str, Callable[..., None]] = {
    r"the primary's server dies": _die,
    r"the primary's server is back": _come_back,
}
WORLDS: dict[str, Callable[[RunbookWorld], None]] = {"endpoint-down": endpoint_down}
