"""What every kind of switch does: a file, HAProxy, a Service of Kubernetes, a record of Route 53."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dr_lib.model.serving import FileSwitch, HaproxySwitch, KubernetesSwitch, Site, SwitchPolicy
from dr_lib.serving.switch import Switch
from dr_lib.serving.switches.opening import open_switch
from tests.stack.haproxy import haproxy
from tests.toy_server import ToyServer
from tests.unit.serving.stand_in_services import StandInServices
from tests.unit.serving.zone import zone
from tests.unit.standby.stand_ins import put_kubeconfig

PRIMARY, STANDBY = Site.PRIMARY, Site.STANDBY
Make = Callable[[Path, ExitStack, pytest.MonkeyPatch], SwitchPolicy]


def _file(folder: Path, _running: ExitStack, _patch: pytest.MonkeyPatch) -> SwitchPolicy:
    (folder / "map").write_text("us\n")
    return FileSwitch(folder / "map", {PRIMARY: "us\n", STANDBY: "eu\n"})


def _haproxy(folder: Path, running: ExitStack, _patch: pytest.MonkeyPatch) -> SwitchPolicy:
    (folder / "model.safetensors").write_bytes(b"x")
    toys = {site: running.enter_context(ToyServer(folder)) for site in Site}
    proxy = running.enter_context(
        haproxy(folder / "proxy", servers={site.value: toy.port for site, toy in toys.items()})
    )
    return HaproxySwitch(f"unix:{proxy.socket}", proxy.backend, {site: site.value for site in Site})


def _kubernetes(folder: Path, running: ExitStack, patch: pytest.MonkeyPatch) -> SwitchPolicy:
    cluster = running.enter_context(StandInServices({"app": "m", "site": "us"}))
    cluster.ready = [{"app": "m", "site": site} for site in ("us", "eu")]
    put_kubeconfig(folder / "kubeconfig", cluster.url, patch)
    return KubernetesSwitch("models", "api", {PRIMARY: {"site": "us"}, STANDBY: {"site": "eu"}}, "here")


def _route53(_folder: Path, running: ExitStack, patch: pytest.MonkeyPatch) -> SwitchPolicy:
    return running.enter_context(zone(patch))


@pytest.fixture(params=[_file, _haproxy, _kubernetes, _route53], ids=lambda make: make.__name__[1:])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Switch]]:
    """Opens the switch afresh: nothing may be remembered between two."""
    with ExitStack() as running:
        policy = request.param(tmp_path, running, monkeypatch)
        environ = {"DNS_ACCESS_KEY_ID": "key", "DNS_SECRET_ACCESS_KEY": "secret"}
        yield lambda: open_switch(policy, environ=environ, connections=None)


def test_over_and_back(opened: Callable[[], Switch]):
    assert opened().traffic().word == "primary"
    opened().move(STANDBY)
    assert opened().traffic().word == "standby"
    opened().move(PRIMARY)
    assert opened().traffic().word == "primary"


def test_moving_where_it_is_already_changes_nothing(opened: Callable[[], Switch]):
    opened().move(PRIMARY)
    opened().move(STANDBY)
    opened().move(STANDBY)
    assert opened().traffic().sites == {STANDBY}


def test_it_says_what_it_saw(opened: Callable[[], Switch]):
    assert opened().traffic().detail
