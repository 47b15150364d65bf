"""A hosted zone in moto's Route 53 over real HTTP. What moto lacks of it is added: a record is deleted only by one who
names it exactly as it stands, else nothing of the change is done (InvalidChangeBatch)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from dr_lib.model.serving import Route53Switch, Site

RECORD = "models.example.org"


@contextmanager
def zone(patch: pytest.MonkeyPatch) -> Iterator[Route53Switch]:
    """A zone with a record that is the primary's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that moto[server] has more than Route 53 needs
        from moto.server import ThreadedMotoServer
    _delete_exactly(patch)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        api = client(endpoint)
        named = api.create_hosted_zone(Name="example.org", CallerReference=endpoint)["HostedZone"]["Id"]
        values = {Site.PRIMARY: ("us.example.org",), Site.STANDBY: ("eu.example.org",)}
        policy = Route53Switch(named.rpartition("/")[2], RECORD, "CNAME", 30, values, "env:DNS", endpoint)
        put(policy, "us.example.org")
        yield policy
    finally:
        server.stop()


def _delete_exactly(patch: pytest.MonkeyPatch) -> None:
    from moto.core.exceptions import ServiceException
    from moto.route53 import models

    real = models.Route53Backend.change_resource_record_sets

    class InvalidChangeBatch(ServiceException):
        code = "InvalidChangeBatch"

    def change(backend: Any, zoneid: str, change_list: list[dict[str, Any]]) -> None:
        standing = {
            (one.name, one.type): (str(one.ttl), sorted(one.records)) for one in backend.get_hosted_zone(zoneid).rrsets
        }
        for asked in change_list:
            record = asked["ResourceRecordSet"]
            named = (f"{record['Name'].rstrip('.')}.", record["Type"])
            values = (str(record["TTL"]), sorted(one["Value"] for one in record["ResourceRecords"]))
            if asked["Action"] == "DELETE" and standing.get(named) != values:
                raise InvalidChangeBatch("the values provided do not match the current values")
            if asked["Action"] == "DELETE":
                del standing[named]
            elif asked["Action"] == "CREATE" and named in standing:
                raise InvalidChangeBatch("it already exists")
        real(backend, zoneid, change_list)

    patch.setattr(models.Route53Backend, "change_resource_record_sets", change)


def client(endpoint: str | None) -> Any:
    keys = {"aws_access_key_id": "owner", "aws_secret_access_key": "secret"}
    return boto3.client("route53", endpoint_url=endpoint, region_name="us-east-1", **keys)


def put(policy: Route53Switch, value: str, ttl: int = 30) -> None:
    """Let the record be something, whatever it was."""
    record = {"Name": policy.record, "Type": policy.type, "TTL": ttl, "ResourceRecords": [{"Value": value}]}
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    client(policy.endpoint).change_resource_record_sets(HostedZoneId=policy.zone, ChangeBatch=batch)
