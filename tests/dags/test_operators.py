"""The operators over real vaults in directories: what they hand to Airflow, and when they fail."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dr_lib.errors import IntegrityError, ObjectiveMissed, Refused
from dr_lib.runtime import Runtime
from tests.stack.collector import Collector, attributes

FILES = {"a.bin": b"alpha" * 5000, "folder/b.bin": b"beta" * 9000}
REGIONS = ("us-east", "eu-west")


class Airflow:
    """The two parts of a task's context that the operators write to; keeps what they wrote."""

    def __init__(self, copies=None):
        self.pushed = {}
        self.events = {} if copies is None else {"copies": (found := Copies()), copies: found}

    def xcom_push(self, *, key, value):
        self.pushed[key] = value

    def __getitem__(self, name):
        return {"ti": self, "outlet_events": self.events}[name]


class Copies:
    """What stands for the events of an asset alias."""

    def __init__(self):
        self.added = []

    def add(self, asset, extra):
        self.added.append((asset, extra))


class Event:
    extra = None


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Two vaults, one asset, `DR_CONFIG` as a worker has it."""
    for name, data in FILES.items():
        path = tmp_path / "live" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    regions = "".join(f"  {name}: {{url: '{(tmp_path / name).as_uri()}'}}\n" for name in REGIONS)
    asset = f"  files: {{kind: dataset, source: '{(tmp_path / 'live').as_uri()}', regions: [us-east, eu-west]}}\n"
    config = tmp_path / "dr.yaml"
    config.write_text(f"regions:\n{regions}encryption: none\nlimits: {{shard: 1MiB}}\nassets:\n{asset}")
    monkeypatch.setenv("DR_CONFIG", str(config))
    Runtime.load().initialize()
    return tmp_path


def back_up():
    from dr_airflow.operators import (
        BackupPlanOperator,
        CommitBackupOperator,
        RecordProofOperator,
        StoreShardsOperator,
    )

    airflow = Airflow()
    plan = BackupPlanOperator(task_id="plan", asset="files", region="us-east")
    pieces = plan.hand_over(plan.work(), airflow)
    step = {"asset": "files", "region": "us-east", "run": airflow.pushed["run"]}
    for number, shards in enumerate(pieces):
        StoreShardsOperator(task_id=f"store_{number}", shards=shards, **step).work()
    RecordProofOperator(task_id="proof", **step).work()
    return CommitBackupOperator(task_id="commit", **step)


def replicate_and_verify(region="eu-west", **options):
    from dr_airflow.operators import ReplicateOperator, VerifyOperator

    ReplicateOperator(task_id="replicate", asset="files").work()
    return VerifyOperator(task_id="verify", asset="files", region=region, **options).work()


def damage_a_pack(vault):
    pack = next(path for path in sorted((vault / "packs").rglob("*")) if path.is_file())
    pack.chmod(0o600)
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)


def test_a_commit_may_be_told_twice_and_gives_one_point(site):
    commit = back_up()
    assert commit.work()["point"] == commit.work()["point"]
    assert len(Runtime.load().points("files")) == 1


def test_a_commit_sends_the_point_with_the_event_of_its_outlet(site):
    from dr_airflow.announcements import points_of

    commit, airflow = back_up(), Airflow()
    outlet = points_of("files")
    commit.outlets, airflow.events[outlet] = [outlet], Event()
    point = commit.hand_over(commit.work(), airflow)
    sent = {"point": point["point"], "region": "us-east", "bytes": sum(map(len, FILES.values()))}
    assert airflow.events[outlet].extra == sent


def announced(airflow):
    return [(asset.name, extra["point"]) for asset, extra in airflow.events["copies"].added]


def test_every_copy_is_announced_by_an_event_of_its_region(site):
    from dr_airflow.announcements import COPIES
    from dr_airflow.operators import BackupOperator, ReplicateOperator

    airflow = Airflow(copies=COPIES)
    commit = back_up()
    commit.outlets = [COPIES]
    point = commit.hand_over(commit.work(), airflow)["point"]
    assert announced(airflow) == [("dr_copies__files__us-east", point)]
    replicate, airflow = ReplicateOperator(task_id="replicate", asset="files", outlets=[COPIES]), Airflow(copies=COPIES)
    assert replicate.hand_over(replicate.work(), airflow)["copies"] == 1
    assert announced(airflow) == [("dr_copies__files__eu-west", point)]
    whole, airflow = BackupOperator(task_id="backup", asset="files"), Airflow(copies=COPIES)
    second = whole.hand_over(whole.work(), airflow)["point"]
    assert second != point
    assert announced(airflow) == [(f"dr_copies__files__{region}", second) for region in REGIONS]


def test_a_task_has_buttons_that_lead_to_what_it_made(site):
    from dr_airflow.operators import BackupOperator

    task = BackupOperator(task_id="backup", asset="files", outlets=[])
    point, evidence = task.operator_extra_links
    assert point.get_link(task, ti_key=None) == ""
    done = task.execute(Airflow())
    assert point.get_link(task, ti_key=None) == f"/dr/view/assets/files/points/{done['point']}"
    assert evidence.get_link(task, ti_key=None) == ""
    assert (point.name, evidence.name) == ("Recovery point", "Evidence")


def test_a_point_in_quarantine_fails_its_commit_until_it_is_cleared(site):
    from dr_airflow.failures import AirflowFailException, airflow_failures

    back_up().work()
    for path in (site / "live" / "a.bin", site / "live" / "folder" / "b.bin"):
        path.write_bytes(os.urandom(path.stat().st_size))
    commit = back_up()
    with (
        pytest.raises(AirflowFailException, match="stored and in quarantine: 2 files of a known kind"),
        airflow_failures(),
    ):
        commit.work()
    runtime = Runtime.load()
    assert [point["quarantined"] is None for point in runtime.points("files")] == [False, True]
    with pytest.raises(ObjectiveMissed):
        commit.work()
    runtime.clear_quarantine("files", commit.run, "planned")
    assert commit.work()["point"] == commit.run


def test_only_copies_that_were_not_verified_are_read_again(site):
    point = back_up().work()["point"]
    assert replicate_and_verify()["verified"] == [point]
    assert replicate_and_verify()["verified"] == []
    assert replicate_and_verify(scope="all")["verified"] == [point]


def test_a_damaged_copy_fails_the_verification_and_is_named(site):
    point = back_up().work()["point"]
    replicate_and_verify("us-east")
    damage_a_pack(site / "eu-west")
    with pytest.raises(IntegrityError, match=f"{point}.*region eu-west"):
        replicate_and_verify("eu-west")


def test_a_damaged_copy_is_healed_unasked_where_dr_yaml_says_so(site):
    point = back_up().work()["point"]
    replicate_and_verify("us-east")
    config = site / "dr.yaml"
    config.write_text(config.read_text().replace("kind: dataset,", "kind: dataset, verify: {heal: true},"))
    damage_a_pack(site / "eu-west")
    found = replicate_and_verify("eu-west")
    assert found["verified"] == []
    assert [key.partition("/")[0] for key in found["healed"]] == ["packs"]
    copies = {one["point"]: one["copies"]["eu-west"] for one in Runtime.load().points("files")}
    assert copies == {point: "verified"}


def test_a_sample_finds_damage_in_copies_that_were_verified(site):
    back_up().work()
    found = replicate_and_verify("eu-west")
    assert found["longest_unread_s"] < 3600
    damage_a_pack(site / "eu-west")

    def sampled_to_the_end() -> None:
        for _ in range(5):
            replicate_and_verify("eu-west")

    with pytest.raises(IntegrityError, match="drctl heal files --region eu-west"):
        sampled_to_the_end()


def test_a_restore_gives_the_files_back_and_refuses_a_target_in_use(site):
    from dr_airflow.operators import RestoreOperator

    back_up().work()
    restore = RestoreOperator(task_id="restore", asset="files", target=str(site / "back"))
    restore.work()
    assert {name: (site / "back" / name).read_bytes() for name in FILES} == FILES
    with pytest.raises(Refused):
        restore.work()


def test_a_prune_says_what_would_go_and_fails_where_something_stands_in_its_way(site):
    from dr_airflow.operators import PruneOperator

    point = back_up().work()["point"]
    said = PruneOperator(task_id="prune", region="us-east").work()
    assert (said["applied"], said["deleted"], said["proposed"], said["plan"]) == (False, [], [], None)
    manifest = site / "us-east" / "points" / "files" / f"{point}.manifest"
    manifest.chmod(0o600)
    manifest.write_bytes(b"nothing")
    with pytest.raises(Refused, match="nothing here is deleted"):
        PruneOperator(task_id="prune", region="us-east", do="delete").work()


def test_a_verdict_fails_unless_it_was_proven():
    from dr_airflow.operators import DrillVerdictOperator

    report = {"drill": "drill-1", "verdict": "not proven", "reasons": ["RTO of 90 s missed"]}
    with pytest.raises(ObjectiveMissed, match=r"not proven: RTO of 90 s missed \[drill-1\]"):
        DrillVerdictOperator(task_id="verdict", report=report).work()
    proven = DrillVerdictOperator(task_id="proven", report={**report, "verdict": "proven"})
    assert proven.work() == {"verdict": "proven"}


def verified_in_a_process_of_its_own(before="", **environ):
    """What a task of Airflow's tells: there is one provider of OpenTelemetry's a process."""
    code = (
        f"{before}\n"
        "from types import SimpleNamespace as Task; from dr_airflow.operators import VerifyOperator\n"
        "ti = Task(dag_id='d', run_id='r', task_id='t')\n"
        "with outer(): VerifyOperator(task_id='verify', asset='files', region='us-east').execute({'ti': ti})"
    )
    with Collector() as collector:
        given = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=given | environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return collector


def test_a_task_is_a_span_of_its_own_with_the_workflow_below_it(site):
    collector = verified_in_a_process_of_its_own("from contextlib import nullcontext as outer")
    task = collector.named("dr.task.verify")
    said = attributes(task)
    assert [said[f"airflow.{name}"] for name in ("dag_id", "dag_run.run_id", "task_id")] == ["d", "r", "t"]
    assert set(collector.below(task)) == {"dr.verify"}


def test_where_airflow_traces_itself_ours_lie_below_its_span_in_its_trace(site):
    collector = verified_in_a_process_of_its_own(
        "from airflow import settings; settings.initialize()\n"
        "from opentelemetry import trace\n"
        "def outer(): return trace.get_tracer('airflow').start_as_current_span('worker.verify')",
        AIRFLOW__TRACES__OTEL_ON="True",
        OTEL_TRACES_EXPORTER="otlp_proto_http",
        AIRFLOW__TRACES__OTEL_SERVICE="the house's",
        TRACEPARENT="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    task = collector.named("dr.task.verify")
    assert collector.below(collector.named("worker.verify")) == ["dr.task.verify"]
    assert set(collector.below(task)) == {"dr.verify"}
    assert {found["service.name"] for found in collector.resources} == {"the house's"}
    assert "dr.workflow.runs" in collector.points
