"""From inside a standby, what is forbidden is tried: it must fail, and what could not be cut off is said."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import landlockpy
import pytest

from dr_lib.model.drill import Assertion
from dr_lib.model.standby import Forbidden
from dr_lib.standby import isolation
from dr_lib.standby.base import Standby
from dr_lib.standby.confine import CONFINED
from dr_lib.standby.isolation import Bounds, assertions
from dr_lib.standby.process import ProcessRunner

needs_landlock = pytest.mark.skipif(landlockpy.abi_version() < 4, reason="this kernel has no Landlock for TCP (ABI 4)")


@contextmanager
def listening() -> Iterator[int]:
    """A port of this machine that answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def kit(*urls: str, endpoint: str | None = None) -> str:
    regions = {
        f"r{n}": {"url": url, "credentials": "env:DR"} | ({"endpoint": endpoint} if endpoint else {})
        for n, url in enumerate(urls)
    }
    return json.dumps({"version": 1, "regions": regions})


def bounds(root: Path, *forbidden: Forbidden, known: tuple[str, ...] = (), ports: frozenset[int] = frozenset()):
    return Bounds(root, forbidden, frozenset({*os.environ, *known}), (), ports)


def by_name(found: tuple[Assertion, ...]) -> dict[str, Assertion]:
    return {one.name: one for one in found}


@needs_landlock
def test_a_standby_is_cut_off_from_all_but_the_survivor(tmp_path: Path) -> None:
    for name in ("source", "lost", "survivor"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights").write_bytes(b"x")
    with listening() as port, listening() as other, Standby(ProcessRunner(tmp_path / "s" / "one")) as standby:
        forbidden = [
            Forbidden("the source", path=str(tmp_path / "source")),
            Forbidden("a file of it", path=str(tmp_path / "source" / "weights")),
            Forbidden("region lost", path=str(tmp_path / "lost")),
            Forbidden("region gone", path=str(tmp_path / "gone")),
            Forbidden("region east", host="127.0.0.1", port=other),
            Forbidden("region far"),
        ]
        text = kit(f"file://{tmp_path}/survivor", f"s3://bucket-{port}", endpoint=f"http://127.0.0.1:{port}")
        found = by_name(standby.isolation(forbidden, text, {"DR_STANDBY_SECRET_ACCESS_KEY": "hush"}))
    assert {name: one.detail for name, one in found.items() if one.held is not True} == {
        "region far cannot be reached": "not tried: where it lies is known to rclone alone"
    }
    assert found["region east cannot be connected to"].detail == (
        f"TCP to port {other}: not permitted by the confinement"
    )
    assert found["the source cannot be read"].detail == "not permitted by the confinement"
    assert found["a file of it cannot be read"].detail == "not permitted by the confinement"
    assert found["region gone cannot be read"].detail == "nothing is there"
    assert found["the hub's library refuses to ask it"].detail == "HF_HUB_OFFLINE is in force"
    assert "the environment of the process that drills cannot be read" in found
    assert f"nothing can be written in {tmp_path / 's'}" in found
    assert "hush" not in str(found)
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "lost", "s", "source", "survivor", "weights", "weights", "weights",
    ]  # fmt: skip


@needs_landlock
def test_what_the_standby_has_to_reach_is_not_called_cut_off(tmp_path: Path) -> None:
    """Another region behind the survivor's port, and a source below what every command reads."""
    with listening() as port, Standby(ProcessRunner(tmp_path / "one")) as standby:
        forbidden = [Forbidden("region x", host="127.0.0.1", port=port), Forbidden("the source", path="/usr/share")]
        found = by_name(standby.isolation(forbidden, kit("s3://bucket", endpoint=f"http://127.0.0.1:{port}"), {}))
    connected, read = found["region x cannot be connected to"], found["the source cannot be read"]
    assert (connected.held, read.held) == (None, None)
    assert "Landlock tells ports apart, not hosts" in connected.detail
    assert "below what this standby has to read" in read.detail


def test_without_a_confinement_nothing_is_called_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONFINED, "")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with listening() as port:
        forbidden = (Forbidden("the source", path=str(tmp_path)), Forbidden("region x", host="127.0.0.1", port=port))
        found = by_name(assertions(bounds(tmp_path / "s" / "one", *forbidden)))
    assert found["the source cannot be read"].held is None
    assert found["region x cannot be connected to"].held is None
    assert found["nothing can be written in /tmp"].held is None
    assert "no Landlock" in found["the source cannot be read"].detail


def test_a_confinement_that_does_not_hold_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It claims to be in force; nothing is."""
    monkeypatch.setenv(CONFINED, "files,ports")
    with listening() as port:
        forbidden = (Forbidden("the source", path=str(tmp_path)), Forbidden("region x", host="127.0.0.1", port=port))
        found = by_name(assertions(bounds(tmp_path / "s" / "one", *forbidden)))
    for name in ("the source cannot be read", "region x cannot be connected to", "nothing can be written in /var/tmp"):
        assert found[name].held is False, name
        assert "although the confinement forbids it" in found[name].detail


def test_a_closed_port_holds_and_says_that_nothing_listens(tmp_path: Path) -> None:
    with listening() as port:
        pass
    found = by_name(assertions(bounds(tmp_path, Forbidden("region x", host="127.0.0.1", port=port))))
    assert found["region x cannot be connected to"] == Assertion(
        "region x cannot be connected to", held=True, detail=f"TCP to port {port}: refused, nothing listens there"
    )


def test_a_variable_too_many_is_named_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = bounds(tmp_path)
    monkeypatch.setenv("DR_EU_WEST_SECRET_ACCESS_KEY", "hush")
    found = by_name(assertions(known))["the environment holds the survivors' credentials alone"]
    assert found.held is False
    assert found.detail == "also there: DR_EU_WEST_SECRET_ACCESS_KEY"


def test_a_hub_library_that_would_ask_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Asking:
        def model_info(self, *_arguments: object, **_named: object) -> None:
            raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.HfApi", Asking)
    found = isolation._hub_library()
    assert (found.held, found.detail) == (False, "it tried (ConnectionError)")


@needs_landlock
def test_with_a_survivor_behind_rclone_only_writing_is_called_cut_off(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    with listening() as port, Standby(ProcessRunner(tmp_path / "one")) as standby:
        forbidden = [
            Forbidden("the source", path=str(tmp_path / "source")),
            Forbidden("region x", host="127.0.0.1", port=port),
        ]
        found = by_name(standby.isolation(forbidden, kit("rclone:remote:x"), {}))
    assert found["the source cannot be read"].held is None
    assert found["region x cannot be connected to"].held is None
    assert found["nothing can be written in /tmp"].held is True
