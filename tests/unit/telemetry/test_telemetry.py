"""What `drctl` tells a collector: a real process, real OTLP over HTTP, and a collector that takes it, or does not."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dr_lib import reviving
from dr_lib.runtime import Runtime
from tests.keys import keys
from tests.stack.collector import Collector, attributes
from tests.world import ASSET, World, make_world, weights

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def world(tmp_path: Path) -> World:
    held = keys()
    environ = held.backup_host() | held.operator()
    protection = held.config()
    protection["encryption"] |= {"identity": "env:DR_IDENTITY", "writer": "env:DR_WRITER_KEY"}
    protection["signing"] |= {"key": "env:DR_SIGNING_KEY"}
    made = make_world(tmp_path / "w", environ=environ | {"DR_KIT": "none"}, **protection)
    weights(made.source / "model.safetensors")
    return made


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as found:
        yield found


def drctl(world: World, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    held = keys()
    given = {name: value for name, value in os.environ.items() if not name.startswith("OTEL")}
    given |= held.backup_host() | held.operator() | {"DR_KIT": "none", "DR_CONFIG": str(world.config())} | environ
    command = [sys.executable, "-m", "dr_lib.cli", "--json", *words]
    return subprocess.run(command, env=given, capture_output=True, text=True, timeout=120, check=False)


def told(world: World, collector: Collector, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return drctl(world, *words, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **environ)


def test_a_backup_is_a_trace_with_its_phases_and_a_run_in_the_metrics(world: World, collector: Collector):
    done = told(world, collector, "backup", ASSET)
    assert (done.returncode, done.stderr.count("telemetry")) == (0, 0), done.stderr
    document = json.loads(done.stdout)
    root = collector.named("dr.backup")
    assert collector.below(root) == ["dr.plan", "dr.shards", "dr.proof", "dr.commit", "dr.copy"]
    said = attributes(root)
    assert (said["dr.asset"], said["dr.point"]) == (ASSET, document["point"])
    assert said["dr.logical_bytes"] == document["logical_bytes"]
    assert attributes(collector.named("dr.copy"))["dr.region"] == "two"
    assert collector.resources[0]["service.name"] == "disaster-recovery"
    ((labels, point),) = collector.points["dr.workflow.runs"]
    assert (labels, point.as_int) == ({"dr.workflow": "backup", "dr.outcome": "done"}, 1)
    ((_, took),) = collector.points["dr.workflow.duration"]
    assert (took.count, took.sum > 0) == (1, True)
    counted = {labels["dr.kind"]: point.as_int for labels, point in collector.points["dr.workflow.bytes"]}
    assert counted["logical_bytes"] == document["logical_bytes"]


def test_a_restore_tells_how_long_its_phases_took(world: World, collector: Collector, tmp_path: Path):
    world.runtime.backup(ASSET)
    assert told(world, collector, "restore", ASSET, "--to", str(tmp_path / "back")).returncode == 0
    said = attributes(collector.named("dr.restore"))
    assert {"dr.phase.plan_s", "dr.phase.fetch_s", "dr.phase.decode_s"} <= set(said)
    assert (said["dr.asset"], said["dr.region"]) == (ASSET, "one")


def test_a_verification_has_a_span_a_region(world: World, collector: Collector):
    world.runtime.backup(ASSET)
    assert told(world, collector, "verify", ASSET).returncode == 0
    regions = [attributes(one)["dr.region"] for one in collector.spans if one.name == "dr.verify.region"]
    assert regions == ["one", "two"]


def test_a_drill_is_told_phase_by_phase(world: World, collector: Collector):
    world.runtime.backup(ASSET)
    world.runtime.verify(ASSET)
    done = told(world, collector, "drill", ASSET, DR_STANDBY_DIR=str(world.folder / "standby"))
    phases = [f"dr.drill.{phase}" for phase in ("detect", "decide", "acquire", "restore", "smoke")]
    assert collector.below(collector.named("dr.drill")) == phases, done.stdout
    assert attributes(collector.named("dr.drill.smoke"))["error.type"] == "UsageError", "the world has no smoke policy"
    said, document = attributes(collector.named("dr.drill")), json.loads(done.stdout)
    assert (said["dr.verdict"], said["dr.scenario"]) == (document["verdict"], document["scenario"])


def test_an_error_says_what_it_was(world: World, collector: Collector):
    assert told(world, collector, "restore", ASSET, "--to", str(world.source)).returncode == 5
    root = collector.named("dr.restore")
    assert (root.status.code, attributes(root)["error.type"], attributes(root)["dr.exit_code"]) == (2, "NotFound", 5)
    assert root.status.message
    assert {labels["dr.outcome"] for labels, _ in collector.points["dr.workflow.runs"]} == {"NotFound"}


def test_it_goes_on_with_the_trace_that_it_is_part_of(world: World, collector: Collector):
    told(world, collector, "backup", ASSET, TRACEPARENT=PARENT, OTEL_SERVICE_NAME="mine")
    root = collector.named("dr.backup")
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == (PARENT.split("-")[1], PARENT.split("-")[2])
    assert collector.resources[0]["service.name"] == "mine"


def test_no_secret_is_ever_told(world: World, collector: Collector):
    for words in (("backup", ASSET), ("verify", ASSET), ("restore", ASSET, "--to", str(world.folder / "back"))):
        assert told(world, collector, *words).returncode == 0
    held, everything = keys(), b"".join(collector.raw)
    secrets = (held.operations, held.escrow, held.writer, held.signer)
    assert everything
    assert [one for one in secrets if one.encode() in everything or one.split(":")[-1].encode() in everything] == []


def test_traces_alone_are_sent_where_only_they_are_asked_for(world: World, collector: Collector):
    done = drctl(world, "backup", ASSET, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.url}/v1/traces")
    assert (done.returncode, done.stderr) == (0, "")
    assert collector.named("dr.backup")
    assert collector.points == {}


@pytest.mark.parametrize("status", [500, 0], ids=["refuses", "never answers"])
def test_a_collector_that_takes_nothing_costs_a_line_and_no_result(world: World, status: int):
    with Collector(status) as deaf:
        # Its own time-out is longer than the test may take: what ends the waiting is not the exporter.
        done = told(world, deaf, "backup", ASSET, OTEL_EXPORTER_OTLP_TIMEOUT="600")
    assert done.returncode == 0
    assert json.loads(done.stdout)["point"]
    assert done.stderr.splitlines() == [
        f"telemetry: not everything was taken by {deaf.url}; the work itself is not concerned"
    ]


def test_a_collector_that_is_not_there(world: World):
    done = drctl(world, "restore", "nothing", "--to", "x", OTEL_EXPORTER_OTLP_ENDPOINT="http://me:hush@127.0.0.1:9")
    assert done.returncode == 5, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("telemetry: ")]
    assert lines == ["telemetry: not everything was taken by http://127.0.0.1:9; the work itself is not concerned"]
    assert "hush" not in done.stderr


def test_a_variable_that_cannot_be_meant_costs_a_line_and_no_result(world: World, collector: Collector):
    done = told(world, collector, "backup", ASSET, OTEL_BSP_MAX_QUEUE_SIZE="0")
    assert (done.returncode, done.stderr.count("\n"), collector.raw) == (0, 1, []), done.stderr
    assert done.stderr.startswith("telemetry: nothing is told (")


@pytest.mark.parametrize(
    "environ", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}]
)
def test_where_nobody_listens_nothing_of_it_is_imported(world: World, environ: dict[str, str]):
    code = (
        "import sys; from dr_lib.cli.main import main; main(['--json', 'backup', 'thing']);"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    held = keys()
    given = {name: value for name, value in os.environ.items() if not name.startswith("OTEL")}
    given |= held.backup_host() | held.operator() | {"DR_KIT": "none", "DR_CONFIG": str(world.config())} | environ
    done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


READS = {
    "alarm", "alarm_assets", "asset_view", "asset_views", "authorise_restore", "backup", "catalog_url", "check",
    "claim", "clear_quarantine", "contents", "database_url", "doctor", "drill_views", "drills", "every_asset_view",
    "evidence", "evidence_page", "figures", "hold_term", "kits", "let_work", "limited", "list_holds", "list_keys",
    "load",
    "may_scrape", "open_alerts", "overview", "plan_move", "plan_restore", "point_view", "point_views", "points",
    "predict_rto", "quarantined", "rebuild_catalog", "record_answers", "refuse_superseded", "remove_hold",
    "add_hold",
    "render_evidence", "save_kit", "serving_status", "serving_views", "show_evidence", "status", "tell", "term",
    "verified_point", "verify_evidence", "config",
}  # fmt: skip
"""Of the facade: what reads, or writes a few bytes. `backup` hands over to the one that is told."""


def test_every_workflow_of_the_facade_is_told():
    found = {name: method for name, method in inspect.getmembers(Runtime) if not name.startswith("_")}
    traced = {name for name, method in found.items() if hasattr(method, "workflow")}
    assert set(found) - traced - READS == set()
    assert READS & traced <= {"backup"}
    assert reviving.recover.workflow == "recover"
