"""An endpoint in a small world: three regions on disk, two toy servers, and HAProxy before them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dr_lib.errors import DrError
from dr_lib.model.serving import Site, Wish
from dr_lib.runtime import Runtime
from dr_lib.vault.events import read_event
from dr_lib.vault.leases import newest_lease
from tests.stack.haproxy import Proxy, haproxy
from tests.toy_server import MODEL, ToyServer
from tests.world import ASSET, World, make_world, weights

REGIONS = ("one", "two", "three")
WISH = Wish("api", Site.STANDBY, "it is gone", "anna")


@dataclass
class Stage:
    """`toys` are the servers of both sites; `proxy` is what callers use."""

    world: World
    toys: dict[Site, ToyServer]
    proxy: Proxy

    def runtime(self) -> Runtime:
        environ = {"DR_STANDBY_DIR": str(self.world.folder / "standbys"), "PATH": os.environ["PATH"]}
        return Runtime.load(self.world.config(), environ=environ)

    def directory(self, site: Site) -> Path:
        return self.world.folder / site

    def traffic(self) -> str:
        found: str = self.runtime().serving_status("api")["endpoints"][0]["traffic"]
        return found

    def lease_is_free(self) -> bool:
        found = [newest_lease(self.world.vault(name), "api") for name in REGIONS]
        return all(lease is None or lease.done for lease in found)

    def events(self, region: str = "one") -> list[dict[str, Any]]:
        """What moves left there, in order."""
        vault = self.world.vault(region)
        return [read_event(vault, name) for name in vault.events(ASSET) if name.kind.startswith("fail")]

    def change(self, **changed: Any) -> None:
        """Edit the endpoint in dr.yaml."""
        document = yaml.safe_load(self.world.config().read_text())
        document["serving"]["api"] |= changed
        self.world.config().write_text(json.dumps(document))


@contextmanager
def staged(folder: Path, smoke: dict[str, Any] | None = None) -> Iterator[Stage]:
    """The world of an endpoint whose primary serves a point that is verified everywhere."""
    asset = {} if smoke is None else {"smoke": smoke}  # each of its tests is a process that imports torch
    world = make_world(folder, REGIONS, asset=asset)
    weights(world.source / MODEL)
    world.runtime.backup(ASSET)
    world.runtime.verify(ASSET)
    (folder / "primary").mkdir()
    (folder / "primary" / "current").symlink_to(world.source)
    with ExitStack() as running:
        toys = {site: running.enter_context(ToyServer(folder / site / "current")) for site in Site}
        ports = {site.value: toy.port for site, toy in toys.items()}
        proxy = running.enter_context(haproxy(folder / "proxy", servers=ports))
        made = Stage(world, toys, proxy)
        document = yaml.safe_load(world.config().read_text())
        document["serving"] = {"api": endpoint(made)}
        world.config().write_text(json.dumps(document))
        (folder / "answers.jsonl").write_text(_question(toys[Site.PRIMARY]))
        yield made


def endpoint(stage: Stage) -> dict[str, Any]:
    """What dr.yaml says of it."""
    sites = {
        site.value: {"url": toy.url, "directory": str(stage.directory(site)), "reload": "/reload"}
        for site, toy in stage.toys.items()
    }
    health = {"interval": "10ms", "timeout": "1s", "answers": "answers.jsonl"}
    switch = {"kind": "haproxy", "address": f"unix:{stage.proxy.socket}", "backend": stage.proxy.backend}
    return {
        "asset": ASSET,
        "url": f"http://127.0.0.1:{stage.proxy.front}",
        **sites,
        "health": health,
        "switch": switch | {site.value: site.value for site in Site},
        "patience": "1s",
    }


def _question(toy: ToyServer) -> str:
    return json.dumps({"path": "/ask", "request": {}, "answer": {"digest": toy.digest}}) + "\n"


def outcome(stage: Stage, wish: Wish = WISH) -> dict[str, Any] | DrError:
    """What a move did, or what it failed with."""
    try:
        return stage.runtime().move_endpoint(wish)
    except DrError as error:
        return error
