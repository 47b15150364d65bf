"""`standbys:` says where drills restore to; a mistake in it is refused like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from dr_lib.config import ConfigError, load_config
from dr_lib.errors import NotFound
from dr_lib.model.config import Config
from dr_lib.model.standby import LOCAL, StandbyKind, StandbyPolicy

IMAGE = f"registry.example:5000/dr@sha256:{'0a' * 32}"
BASE = "regions: {a: {url: s3://bucket}}\nencryption: none\n"
ASSET = "assets: {m: {kind: model, source: /m, regions: [a], drill: {standby: STANDBY}}}\n"


def load(folder: Path, standbys: str, standby: str = "local") -> Config:
    path = folder / "dr.yaml"
    path.write_text(BASE + ASSET.replace("STANDBY", standby) + (f"standbys: {standbys}\n" if standbys else ""))
    return load_config(path)


def problems(folder: Path, standbys: str, standby: str = "local") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, standbys, standby)
    return [f"{problem.field}: {problem.what}; {problem.right}" for problem in caught.value.problems]


def test_a_process_of_this_machine_is_always_there(tmp_path):
    config = load(tmp_path, "")
    assert config.standbys == {"local": LOCAL}
    assert config.standby("local").kind is StandbyKind.PROCESS
    with pytest.raises(NotFound, match="no standby named 'gpu'"):
        config.standby("gpu")


def test_each_kind_has_its_fields(tmp_path):
    text = (
        "{gpu-site: {kind: process, queue: gpu, executor: EdgeExecutor, room: 10MB},"
        f" box: {{kind: container, image: '{IMAGE}', network: dr-west, gpus: 1, memory: 16GiB, cpus: 2.5}},"
        f" pod: {{kind: kubernetes, image: '{IMAGE}', namespace: dr, context: west, python: /opt/bin/python}}}}"
    )
    found = load(tmp_path, text, "gpu-site").standbys
    assert found["gpu-site"] == StandbyPolicy("gpu-site", queue="gpu", executor="EdgeExecutor", room_bytes=10_000_000)
    assert found["box"] == StandbyPolicy(
        "box", StandbyKind.CONTAINER, image=IMAGE, network="dr-west", gpus=1, memory_bytes=16 << 30, cpus=2.5
    )
    pod = found["pod"]
    assert (pod.kind, pod.namespace, pod.context, pod.python) == ("kubernetes", "dr", "west", "/opt/bin/python")


@pytest.mark.parametrize(
    ("standbys", "expected"),
    [
        ("{x: {kind: vm}}", "standbys.x.kind: 'vm' is not known; write process or container or kubernetes"),
        ("{x: {kind: container}}", "standbys.x: a container standby needs an image; add `image: name@sha256:…`"),
        ("{x: {kind: process, image: a}}", "standbys.x.image: a process standby has no image; remove it"),
        ("{x: {room: 10}}", "standbys.x.room: 10 is no size; write a number and its unit: 64MiB, 512MiB, 1GiB"),
        ("{X: {kind: process}}", "standbys.X: 'X' is no name; "),
        (f"{{x: {{kind: container, image: '{IMAGE}', cpus: 0}}}}", "standbys.x.cpus: 0 is no number of processors; "),
        (f"{{x: {{kind: container, image: '{IMAGE}', gpus: -1}}}}", "standbys.x.gpus: -1 is not allowed; "),
        (f"{{x: {{kind: container, image: '{IMAGE}', network: '-v'}}}}", "standbys.x.network: '-v' is not allowed; "),
        (f"{{x: {{kind: kubernetes, image: '{IMAGE}', network: a}}}}", "standbys.x.network: a kubernetes standby has"),
    ],
)
def test_a_mistake_is_named(tmp_path, standbys, expected):
    assert any(problem.startswith(expected) for problem in problems(tmp_path, standbys)), problems(tmp_path, standbys)


@pytest.mark.parametrize("image", ["dr", "dr:latest", "dr@sha256:abc", "--privileged@sha256:" + "0" * 64])
def test_an_image_is_named_by_its_digest(tmp_path, image):
    (problem,) = problems(tmp_path, f"{{x: {{kind: container, image: '{image}'}}}}")
    assert "is no image by digest" in problem
    assert "sha256:DIGEST" in problem


def test_a_drill_names_a_standby_that_there_is(tmp_path):
    said = problems(tmp_path, "{gpu-site: {queue: gpu}}", "gpu-sit")
    assert said == ["assets.m.drill.standby: there is no standby 'gpu-sit'; did you mean 'gpu-site'?"]
