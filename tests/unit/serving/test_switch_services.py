"""A Service of Kubernetes and a record of Route 53 as switches: nobody's change is overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from dr_lib.errors import NotFound, PermissionDenied, Refused, StoreUnavailable, UsageError
from dr_lib.model.serving import KubernetesSwitch, Route53Switch, Site
from dr_lib.serving.switches.kubernetes import KubernetesService
from dr_lib.serving.switches.route53 import Route53
from dr_lib.storage.credentials import Credentials
from tests.unit.serving.stand_in_services import StandInServices
from tests.unit.serving.zone import client, put, zone
from tests.unit.standby.stand_ins import CONTEXT, put_kubeconfig

PRIMARY, STANDBY = Site.PRIMARY, Site.STANDBY
OF_PODS = KubernetesSwitch("models", "api", {PRIMARY: {"site": "us"}, STANDBY: {"site": "eu", "gpu": "yes"}}, CONTEXT)
KEYS = Credentials("key", "secret")


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInServices]:
    with StandInServices({"app": "m", "site": "us"}) as found:
        found.ready = [{"app": "m", "site": "us"}, {"app": "m", "site": "eu", "gpu": "yes"}]
        put_kubeconfig(tmp_path / "kubeconfig", found.url, monkeypatch)
        yield found


def service(policy: KubernetesSwitch = OF_PODS) -> KubernetesService:
    return KubernetesService(policy, ready_s=0.5)


def test_labels_that_are_of_no_site_stay(cluster: StandInServices):
    service().move(STANDBY)
    assert cluster.selector == {"app": "m", "site": "eu", "gpu": "yes"}
    service().move(PRIMARY)
    assert cluster.selector == {"app": "m", "site": "us"}


def test_a_change_that_came_between_is_not_overwritten(cluster: StandInServices):
    def somebody_else() -> None:
        cluster.version += 1

    cluster.before_patch = somebody_else
    with pytest.raises(Refused, match="cannot be changed"):
        service().move(STANDBY)
    assert service().traffic().sites == {PRIMARY}


def test_where_no_pod_is_ready_nobody_is_sent(cluster: StandInServices):
    cluster.ready.pop()
    with pytest.raises(StoreUnavailable, match="no pod with the labels app=m,gpu=yes,site=eu is ready"):
        service().move(STANDBY)
    assert service().traffic().sites == {PRIMARY}


def test_a_selector_of_neither_site(cluster: StandInServices):
    cluster.selector["site"] = "ap"
    assert service().traffic().word == "nobody"
    assert service().traffic().detail == "selector app=m, site=ap"


@pytest.mark.parametrize(("status", "kind"), [(403, PermissionDenied), (404, NotFound), (500, StoreUnavailable)])
def test_what_the_cluster_says_against_it(cluster: StandInServices, status: int, kind: type[Exception]):
    cluster.refuses = status
    with pytest.raises(kind, match="the service api cannot be read"):
        service().traffic()


def test_a_service_without_a_selector_and_a_context_that_is_not_there(cluster: StandInServices):
    cluster.selector.clear()
    with pytest.raises(UsageError, match="selects no pods"):
        service().traffic()
    with pytest.raises(UsageError, match="no cluster is configured for 'nowhere'"):
        service(replace(OF_PODS, context="nowhere"))


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> Iterator[Route53Switch]:
    with zone(monkeypatch) as found:
        yield found


def test_a_record_that_somebody_changed_between_is_not_overwritten(
    record: Route53Switch, monkeypatch: pytest.MonkeyPatch
):
    switch = Route53(record, KEYS)
    read = switch._record

    def then_somebody_else() -> object:
        found = read()
        put(record, "elsewhere.example.org")
        return found

    monkeypatch.setattr(switch, "_record", then_somebody_else)
    with pytest.raises(Refused, match="cannot be changed"):
        switch.move(STANDBY)
    monkeypatch.undo()
    found = Route53(record, KEYS).traffic()
    assert (found.word, found.detail) == ("nobody", "models.example.org is elsewhere.example.org")
    Route53(record, KEYS).move(STANDBY)
    assert Route53(record, KEYS).traffic().sites == {STANDBY}


def test_the_new_record_has_the_ttl_of_dr_yaml(record: Route53Switch):
    put(record, "us.example.org", ttl=3600)
    Route53(record, KEYS).move(STANDBY)
    found = client(record.endpoint).list_resource_record_sets(HostedZoneId=record.zone)["ResourceRecordSets"]
    assert [one["TTL"] for one in found if one["Name"].startswith("models.")] == [30]


def test_a_record_that_is_not_there_is_made(record: Route53Switch):
    absent = replace(record, record="other.example.org")
    assert Route53(absent, KEYS).traffic().detail == "other.example.org has no CNAME record"
    Route53(absent, KEYS).move(PRIMARY)
    assert Route53(absent, KEYS).traffic().sites == {PRIMARY}


def test_a_zone_that_is_not_there_and_a_server_that_does_not_answer(
    record: Route53Switch, monkeypatch: pytest.MonkeyPatch
):
    with pytest.raises(NotFound, match="cannot be read"):
        Route53(replace(record, zone="Z0NOTHERE"), KEYS).traffic()
    made = boto3.Session.client
    quick = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1})
    monkeypatch.setattr(boto3.Session, "client", lambda *given, **named: made(*given, **(named | {"config": quick})))
    with pytest.raises(StoreUnavailable, match="Route 53 does not answer"):
        Route53(replace(record, endpoint="http://127.0.0.1:9"), KEYS).traffic()


def test_one_that_is_not_known_everywhere_in_time_says_that_it_was_taken(
    record: Route53Switch, monkeypatch: pytest.MonkeyPatch
):
    switch = Route53(record, KEYS, in_sync_s=0.0)
    monkeypatch.setattr(switch, "_is_known", lambda _: False)
    with pytest.raises(StoreUnavailable, match="took the change"):
        switch.move(STANDBY)
    assert Route53(record, KEYS).traffic().sites == {STANDBY}
