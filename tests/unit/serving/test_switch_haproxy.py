"""HAProxy as a switch: callers notice nothing, and what cannot be moved stays."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dr_lib.errors import Refused, StoreUnavailable, UsageError
from dr_lib.model.serving import HaproxySwitch, Site
from dr_lib.serving.switches.haproxy import Haproxy
from dr_lib.serving.switches.haproxy_api import RuntimeApi
from tests.load import Load
from tests.stack.haproxy import Proxy, haproxy
from tests.toy_server import MODEL, ToyServer

PRIMARY, STANDBY = Site.PRIMARY, Site.STANDBY
NAMES = {PRIMARY: "us", STANDBY: "eu"}


@pytest.fixture
def toys(tmp_path: Path) -> Iterator[dict[Site, ToyServer]]:
    (tmp_path / MODEL).write_bytes(b"weights")
    with ToyServer(tmp_path) as us, ToyServer(tmp_path) as eu:
        yield {PRIMARY: us, STANDBY: eu}


@pytest.fixture
def proxy(tmp_path: Path, toys: dict[Site, ToyServer]) -> Iterator[Proxy]:
    with haproxy(tmp_path / "proxy", servers={NAMES[site]: toy.port for site, toy in toys.items()}) as running:
        yield running


def switch(proxy: Proxy, up_s: float = 20.0, **changed: object) -> Haproxy:
    said = {"address": f"unix:{proxy.socket}", "backend": proxy.backend, "servers": NAMES} | changed
    return Haproxy(HaproxySwitch(**said), up_s=up_s)  # type: ignore[arg-type]


def test_a_planned_move_loses_no_request(proxy: Proxy, toys: dict[Site, ToyServer]):
    with Load(f"http://127.0.0.1:{proxy.front}/ask", {}, lambda answer: "digest" in answer.json(), callers=6) as load:
        to = STANDBY
        while len(load.calls) < 300:
            switch(proxy).move(to)
            to = to.other
    assert load.bad() == []
    assert all(toy.asked for toy in toys.values())


def test_what_was_begun_is_finished_before_the_old_one_is_out(proxy: Proxy, toys: dict[Site, ToyServer]):
    toys[PRIMARY].mood = "hangs"
    heard: list[str] = []

    def ask() -> None:
        try:
            heard.append(str(httpx.post(f"http://127.0.0.1:{proxy.front}/ask", json={}, timeout=30).status_code))
        except httpx.HTTPError as error:
            heard.append(type(error).__name__)

    caller = threading.Thread(target=ask)
    caller.start()
    api = RuntimeApi(f"unix:{proxy.socket}")
    while api.servers(proxy.backend)["us"].sessions == 0:
        threading.Event().wait(0.01)
    moving = threading.Thread(target=switch(proxy).move, args=(STANDBY,))
    moving.start()
    while not api.servers(proxy.backend)["us"].status.startswith("DRAIN"):
        threading.Event().wait(0.01)
    assert moving.is_alive(), "it waits for the one that was begun"
    toys[PRIMARY].free.set()  # the server ends the request without an answer: what counts is who ended it
    moving.join(30)
    caller.join(30)
    assert api.servers(proxy.backend)["us"].status.startswith("MAINT")
    assert heard


def test_away_from_a_server_that_is_dead(proxy: Proxy, toys: dict[Site, ToyServer]):
    toys[PRIMARY].close()
    assert switch(proxy).traffic().sites == {PRIMARY}
    switch(proxy).move(STANDBY)
    assert switch(proxy).traffic().sites == {STANDBY}
    assert httpx.post(f"http://127.0.0.1:{proxy.front}/ask", json={}, trust_env=False).status_code == 200


def test_to_a_server_that_is_dead_it_does_not_move(proxy: Proxy, toys: dict[Site, ToyServer]):
    toys[STANDBY].close()
    with pytest.raises(StoreUnavailable, match="does not find the server 'eu' well"):
        switch(proxy, up_s=1.0).move(STANDBY)
    assert switch(proxy).traffic().sites == {PRIMARY}


def test_one_that_stopped_half_way_says_so_and_is_moved_on(proxy: Proxy):
    RuntimeApi(f"unix:{proxy.socket}").set_state(proxy.backend, "eu", "ready")
    assert switch(proxy).traffic().word == "both"
    switch(proxy).move(STANDBY)
    assert switch(proxy).traffic().word == "standby"


def test_one_that_is_gone(proxy: Proxy):
    gone = switch(proxy)
    proxy.kill()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        gone.traffic()
    with pytest.raises(StoreUnavailable):
        gone.move(STANDBY)


@pytest.mark.parametrize(
    ("changed", "hint"),
    [({"backend": "others"}, "backends there: models"), ({"servers": {PRIMARY: "us", STANDBY: "x"}}, "us, eu")],
)
def test_a_name_that_is_not_there_is_told_with_those_that_are(proxy: Proxy, changed: dict[str, object], hint: str):
    with pytest.raises(UsageError) as caught:
        switch(proxy, **changed).traffic()
    assert hint in str(caught.value.hint)


def test_a_socket_that_may_only_look_moves_nothing(tmp_path: Path, toys: dict[Site, ToyServer]):
    servers = {NAMES[site]: toy.port for site, toy in toys.items()}
    with haproxy(tmp_path / "read only", servers=servers, level="operator") as looked_at:
        with pytest.raises(Refused, match="level admin"):
            switch(looked_at).move(STANDBY)
        assert switch(looked_at).traffic().sites == {PRIMARY}


@pytest.mark.parametrize("said", [b"", b"x" * (5 << 20), b"# pxname,svname\nmodels"], ids=["nothing", "no end", "cut"])
def test_whatever_answers_instead_of_haproxy_is_not_believed(said: bytes):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            line, _ = listening.accept()
            with line:
                try:
                    line.recv(100)
                    line.sendall(said)
                except OSError:
                    pass

        threading.Thread(target=answer, daemon=True).start()
        address = f"tcp:127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises((StoreUnavailable, UsageError)):
            Haproxy(HaproxySwitch(address, "models", NAMES)).traffic()


def test_one_that_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"tcp:127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(StoreUnavailable, match="timed out"):
            Haproxy(HaproxySwitch(address, "models", NAMES)).traffic()
