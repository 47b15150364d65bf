"""PostgreSQL and Redis on free ports of this machine's loopback, for as long as a test needs them."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tenacity import Retrying, stop_after_delay, wait_fixed

START_S = 60


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def postgres(home: Path, *databases: str) -> Iterator[str]:
    """An address without a database's name, `postgresql+psycopg2://…/`; `databases` are made in it."""
    programs = _programs_of_postgres()
    home.mkdir(mode=0o700)
    owner = _not_root()
    if owner:
        _hand_over(home, owner)
    password, port = secrets.token_hex(16), free_port()
    (home / "password").write_text(password)
    if owner:
        os.chown(home / "password", owner["user"], owner["group"])
    data, calm = home / "data", {"cwd": home, "stdout": subprocess.DEVNULL, **owner}
    made = [f"--pgdata={data}", "--username=airflow", f"--pwfile={home / 'password'}", "--auth=scram-sha-256", "-N"]
    subprocess.run([programs / "initdb", *made], check=True, **calm)
    settings = {
        "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off",
        "max_connections": 200,
    }  # fmt: skip
    (home / "more.conf").write_text("".join(f"{name} = '{value}'\n" for name, value in settings.items()))
    command = [programs / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings.items())]
    with _running(command, home, signal.SIGINT, owner):
        address = f"postgresql+psycopg2://airflow:{password}@127.0.0.1:{port}/"
        _make_databases(address, databases)
        yield address


@contextmanager
def redis(home: Path) -> Iterator[str]:
    """An address without a database's number, `redis://…/`; the password is in a file, not in an argument."""
    home.mkdir(mode=0o700)
    password, port = secrets.token_hex(16), free_port()
    lines = (f"requirepass {password}", "bind 127.0.0.1", f"port {port}", 'save ""', f'dir "{home}"')
    (home / "redis.conf").write_text("\n".join(lines))
    with _running([_program("redis-server"), home / "redis.conf"], home, signal.SIGTERM, {}):
        address = f"redis://:{password}@127.0.0.1:{port}/"
        _persistently(lambda: _ping(address))
        yield address


@contextmanager
def _running(command: Sequence[Any], home: Path, stop: signal.Signals, owner: dict[str, int]) -> Iterator[None]:
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([str(word) for word in command], cwd=home, stdout=log, stderr=log, **owner)
    try:
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _make_databases(address: str, names: Sequence[str]) -> None:
    import sqlalchemy

    engine = sqlalchemy.create_engine(f"{address}postgres", isolation_level="AUTOCOMMIT")

    def make() -> None:
        with engine.connect() as connection:
            for name in names:
                connection.execute(sqlalchemy.text(f'CREATE DATABASE "{name}"'))

    _persistently(make)
    engine.dispose()


def _ping(address: str) -> None:
    import redis as client

    client.Redis.from_url(f"{address}0").ping()


def _persistently(act: Any) -> None:
    Retrying(stop=stop_after_delay(START_S), wait=wait_fixed(0.2), reraise=True)(act)


def _programs_of_postgres() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return (found[-1] if found else Path(_program("initdb"))).parent


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is missing: bash tools/system.sh postgresql redis-server"
    return found


def _not_root() -> dict[str, int]:
    """PostgreSQL refuses root, so that root's tests let somebody run it who owns nothing else."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


def _hand_over(home: Path, owner: dict[str, int]) -> None:
    os.chown(home, owner["user"], owner["group"])
    for parent in home.parents:  # pytest keeps its folders from others
        if parent.stat().st_uid == os.geteuid() and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o011)
