"""Redis as docker-compose.yaml starts it: for a password that no argument shows."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from tenacity import Retrying, stop_after_delay, wait_fixed

from tests.stack.servers import free_port
from tests.unit.deploy.compose_file import services

SERVICE = services()["redis"]
PASSWORD = "the-password"


def here(text: str, folder: Path, port: int) -> str:
    """A command of the file as a shell gets it, on another port and in a directory of the test's."""
    for shown, real in (
        ("$$", "$"),
        ("/run/secrets", str(folder)),
        ("/tmp/redis.conf", f"{folder}/redis.conf"),
        ("redis-cli", f"redis-cli -p {port}"),
        ("requirepass", f"port {port}\\nbind 127.0.0.1\\nrequirepass"),
    ):
        text = text.replace(shown, real)
    return text


def healthy(folder: Path, port: int) -> bool:
    kind, check = SERVICE["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    command = ["sh", "-c", here(check, folder, port)]
    return subprocess.run(command, capture_output=True, check=False, env=dict(os.environ)).returncode == 0


@contextmanager
def started(folder: Path, port: int) -> Iterator[None]:
    assert shutil.which("redis-server"), "redis-server is missing: bash tools/system.sh redis-server"
    (folder / "redis_password").write_text(PASSWORD)
    *shell, line = SERVICE["command"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*shell, here(line, folder, port)], cwd=folder, stdout=log, stderr=log)
    try:
        yield
    finally:
        server.terminate()
        server.wait(20)


def test_the_server_is_told_the_password_by_a_file():
    """It rewrites the title of its process, so that its arguments cannot be asked while it runs."""
    *_, line = SERVICE["command"]
    assert line.rpartition(" && ")[2] == "exec redis-server /tmp/redis.conf"


def test_the_queue_opens_for_its_password_alone(tmp_path: Path):
    port = free_port()
    with started(tmp_path, port), redis.Redis(port=port, password=PASSWORD) as ours:
        Retrying(stop=stop_after_delay(30), wait=wait_fixed(0.1), reraise=True)(ours.ping)
        assert healthy(tmp_path, port)
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert (tmp_path / "redis.conf").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "appendonlydir").is_dir()
        (tmp_path / "redis_password").write_text("another")
        assert not healthy(tmp_path, port)
    assert not healthy(tmp_path, port)
