"""A switch that is a record of a hosted zone of Route 53.

One change deletes the record exactly as it was read and creates the new one: Route 53 does both or neither, and refuses
when anybody changed it meanwhile. An UPSERT would overwrite what another one has just written. Resolvers go on to send
callers to the old site for as long as the record's TTL says; it must go on to answer for that long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from dr_lib.errors import DrError, NotFound, PermissionDenied, Refused, StoreUnavailable
from dr_lib.model.serving import Route53Switch, Site, Traffic
from dr_lib.storage.credentials import Credentials

IN_SYNC_S: Final = 120.0
"""How long all of Route 53's servers may take to know the change; AWS says about 60 s."""
_PAUSE_S: Final = 2.0
_KINDS: Final[dict[str, type[DrError]]] = {
    "AccessDenied": PermissionDenied,
    "AccessDeniedException": PermissionDenied,
    "InvalidClientTokenId": PermissionDenied,
    "SignatureDoesNotMatch": PermissionDenied,
    "NoSuchHostedZone": NotFound,
    "InvalidChangeBatch": Refused,
    "InvalidInput": Refused,
}


class Route53:
    """The switch; see `Switch`."""

    def __init__(self, policy: Route53Switch, credentials: Credentials, *, in_sync_s: float = IN_SYNC_S) -> None:
        """Asks nothing yet; `UsageError` (2) for a profile that is not there."""
        self._policy = policy
        self._in_sync_s = in_sync_s
        session = boto3.Session(
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.session_token,
            profile_name=credentials.profile,
        )
        limits = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})
        self._api: Any = session.client("route53", endpoint_url=policy.endpoint, region_name="us-east-1", config=limits)

    def traffic(self) -> Traffic:
        """The site whose values the record has; nobody for other values, or no record."""
        found = self._record()
        if found is None:
            return Traffic(frozenset(), f"{self._policy.record} has no {self._policy.type} record")
        values = _values(found)
        sites = frozenset(site for site in Site if _plain(self._policy.values[site]) == values)
        return Traffic(sites, f"{self._policy.record} is {', '.join(sorted(values)) or 'an alias'}")

    def move(self, to: Site) -> None:
        """As `Switch.move`; returns when all of Route 53's servers know. `Refused` (7) where the record was changed
        meanwhile."""
        found = self._record()
        wanted = self._wanted(to)
        if found is not None and _values(found) == _plain(self._policy.values[to]):
            return
        changes = [] if found is None else [{"Action": "DELETE", "ResourceRecordSet": found}]
        changes.append({"Action": "CREATE", "ResourceRecordSet": wanted})
        with self._errors("the record cannot be changed"):
            done = self._api.change_resource_record_sets(
                HostedZoneId=self._policy.zone, ChangeBatch={"Comment": f"to the {to}", "Changes": changes}
            )
        self._wait(done["ChangeInfo"]["Id"])

    def _wanted(self, to: Site) -> dict[str, Any]:
        values = [{"Value": value} for value in self._policy.values[to]]
        named = {"Name": self._policy.record, "Type": self._policy.type}
        return named | {"TTL": self._policy.ttl, "ResourceRecords": values}

    def _record(self) -> dict[str, Any] | None:
        with self._errors("the record cannot be read"):
            answer = self._api.list_resource_record_sets(
                HostedZoneId=self._policy.zone,
                StartRecordName=self._policy.record,
                StartRecordType=self._policy.type,
                MaxItems="1",
            )
        name = self._policy.record.rstrip(".").casefold()
        for found in answer["ResourceRecordSets"]:
            if found["Name"].rstrip(".").casefold() == name and found["Type"] == self._policy.type:
                return dict(found)
        return None

    def _wait(self, change: str) -> None:
        asking = Retrying(
            retry=retry_if_result(lambda yes: not yes),
            stop=stop_after_delay(self._in_sync_s),
            wait=wait_fixed(_PAUSE_S),
        )
        try:
            asking(lambda: self._is_known(change))
        except RetryError:
            what = "Route 53 took the change, and not all of its servers know it yet"
            raise StoreUnavailable(what, where=self._policy.record, hint="run it again; it looks first") from None

    def _is_known(self, change: str) -> bool:
        with self._errors("the change cannot be followed"):
            return bool(self._api.get_change(Id=change)["ChangeInfo"]["Status"] == "INSYNC")

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        where = f"{self._policy.record} in {self._policy.zone}"
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            kind = _KINDS.get(code, Refused if 400 <= status < 500 else StoreUnavailable)
            said = str(error.response.get("Error", {}).get("Message", ""))[:300]
            raise kind(f"{what}: {said or code}", where=where) from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"{what}: Route 53 does not answer ({type(error).__name__})", where=where) from error


def _values(record: dict[str, Any]) -> frozenset[str]:
    return _plain([one["Value"] for one in record.get("ResourceRecords", ())])


def _plain(values: Any) -> frozenset[str]:
    """Names with and without their last dot, and in any case, are the same."""
    return frozenset(str(value).rstrip(".").casefold() for value in values)
