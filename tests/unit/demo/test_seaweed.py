import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from dr_lib.demo.seaweed import GRPC_OFFSET, SOCKETS, SeaweedRecord, SeaweedRegion, free_ports, is_running, stop
from dr_lib.errors import Refused, StoreUnavailable, UsageError
from tests.conftest import fresh_name, open_bucket

START = """
import sys
from pathlib import Path
from dr_lib.demo.seaweed import SeaweedRegion
print(SeaweedRegion(Path(sys.argv[1]), "key", "top-secret").start().to_json())
"""


def test_objects_survive_a_restart_on_the_same_ports(new_region: Callable[[], SeaweedRegion]) -> None:
    region = new_region()
    store = open_bucket(region, fresh_name())
    store.ensure_container(lock_mode=None, lock_days=None)
    store.create("key", b"content")
    before = region.record
    region.stop()
    assert not is_running(before)
    after = region.start()
    assert (after.ports, after.endpoint) == (before.ports, before.endpoint)
    assert after.pid != before.pid
    assert store.get("key") == b"content"


def test_a_server_outlives_its_starter_and_is_stopped_by_its_record(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START, str(tmp_path / "a b")],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    record = SeaweedRecord.from_json(done.stdout)
    try:
        assert is_running(record)
        assert os.getsid(record.pid) == record.pid
        assert "top-secret" not in json.dumps(psutil.Process(record.pid).cmdline())
        assert "top-secret" not in done.stdout + done.stderr
    finally:
        stop(record)
    assert not is_running(record)
    assert [path for port in asdict(record.ports).values() for path in SOCKETS.glob(f"seaweedfs-*-{port}.sock")] == []
    stop(record)


def test_a_reused_process_id_is_left_alone() -> None:
    me = psutil.Process()
    record = SeaweedRecord(me.pid, me.create_time() - 60, free_ports(), "http://127.0.0.1:1", "/nowhere")
    assert not is_running(record)
    stop(record)
    assert me.is_running()


def test_a_killed_server_is_seen_as_gone(new_region: Callable[[], SeaweedRegion]) -> None:
    region = new_region()
    server = psutil.Process(region.record.pid)
    server.kill()
    server.wait(timeout=30)
    assert not is_running(region.record)
    region.start()
    assert is_running(region.record)


def test_ports_that_another_process_has_are_refused(tmp_path: Path) -> None:
    region = SeaweedRegion(tmp_path, "key", "secret")
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", region.ports.filer + GRPC_OFFSET))
        taker.listen()
        with pytest.raises(Refused, match=str(region.ports.filer)):
            region.start()


def test_a_server_that_cannot_start_is_told_with_its_log(tmp_path: Path) -> None:
    region = SeaweedRegion(tmp_path, "key", "secret")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "filerldb2").write_bytes(b"a file where the filer keeps its directory")
    with pytest.raises(StoreUnavailable, match=r"read .*seaweed\.log"):
        region.start()
    assert not is_running(region.record)


def test_ports_stay_below_the_ephemeral_range() -> None:
    ports = asdict(free_ports()).values()
    assert len(set(ports)) == 5
    assert max(ports) + GRPC_OFFSET < 32_768


def test_a_region_that_was_never_started_has_no_record(tmp_path: Path) -> None:
    region = SeaweedRegion(tmp_path, "key", "secret")
    region.stop()
    with pytest.raises(UsageError):
        _ = region.record
