"""What doctor says of standbys: which of those that drills use can be made from here."""

from __future__ import annotations

import landlockpy
import pytest

from tests.world import World, make_world

IMAGE = f"dr@sha256:{'0a' * 32}"


def world_of(tmp_path, **policy) -> World:
    standbys = {"used": policy, "unused": {"kind": "process"}}
    return make_world(tmp_path / "world", standbys=standbys, asset={"drill": {"standby": "used"}})


def told(world: World) -> dict[str, str]:
    document = world.runtime.doctor()
    checks = {one["name"]: one for one in document["checks"] if one["name"].startswith("standby ")}
    assert all(one["ok"] for one in checks.values())
    return {name: one["detail"] for name, one in checks.items()}


@pytest.mark.parametrize(
    ("abi", "detail"),
    [
        (0, "a process, confined in nothing"),
        (3, "a process, confined in files"),
        (4, "a process, confined in files and ports"),
    ],
)
def test_a_process_is_as_confined_as_the_kernel_can(tmp_path, monkeypatch, abi, detail):
    monkeypatch.setattr(landlockpy, "abi_version", lambda: abi)
    assert told(world_of(tmp_path, kind="process")) == {"standby used": detail}


def test_a_container_needs_docker(tmp_path, monkeypatch):
    world = world_of(tmp_path, kind="container", image=IMAGE)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert told(world) == {"standby used": "not from here: docker is missing"}
    (tmp_path / "docker").write_text("")
    (tmp_path / "docker").chmod(0o755)
    assert told(world) == {"standby used": "docker is there"}


def test_a_pod_needs_the_client(tmp_path, monkeypatch):
    world = world_of(tmp_path, kind="kubernetes", image=IMAGE)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert told(world) == {"standby used": "not from here: pip install 'dr-lib[kubernetes]'"}
