"""The shape of a `dr.yaml`: fields, defaults and the rule of each single value. docs/adr/0003 says why so strict."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import time, timedelta
from functools import partial
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from dr_lib.config import values
from dr_lib.config.alerts import AlertsSchema
from dr_lib.config.locations import server_address, store_url
from dr_lib.config.metrics import MetricsSchema
from dr_lib.config.protection import EncryptionSchema, SigningSchema, encryption_or_none, signing_or_none
from dr_lib.config.rehearsal import RehearsalSchema
from dr_lib.config.serving import EndpointSchema
from dr_lib.config.smoke import SmokeSchema
from dr_lib.config.standbys import StandbySchema
from dr_lib.config.strict import Strict
from dr_lib.model.scenario import SCENARIOS


def _version(value: object) -> int:
    if isinstance(value, bool) or value != 1:
        raise ValueError(f"version {value!r} cannot be read by this release; write version: 1")
    return 1


def _one_of(choices: tuple[str, ...]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value not in choices:
            raise ValueError(f"{value!r} is not known; write {' or '.join(choices)}")
        return str(value)

    return check


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is no switch; write true or false")
    return value


def _plan(value: object) -> object:
    if value == "all":
        return list(SCENARIOS)
    if not isinstance(value, list) or not value:
        raise ValueError("this is no plan; write a list of scenarios, or all")
    if len(set(map(str, value))) < len(value):
        raise ValueError("a scenario stands here twice; remove one")
    return value


def _optional_duration(value: object) -> timedelta:
    return values.optional_duration(value) or timedelta(0)


def _database(value: object) -> str:
    if not isinstance(value, str) or not re.match(r"env:[A-Za-z_]\w*$|file:/(?!/)|sqlite:///|[a-z0-9+]+://", value):
        right = "write sqlite:////path/catalog.sqlite, or env:NAME or file:/PATH of one's URL"
        raise ValueError(f"{value!r} is no database; {right}")
    if re.match(r"[^:]+://[^/@]*:[^/@]*@", value):
        right = "put the URL into a variable or a file, and write env:NAME or file:/PATH"
        raise ValueError(f"a password has no place here; {right}")
    return value


def _reference(value: object) -> str:
    if not isinstance(value, str) or not re.match(r"env:[A-Za-z_]\w*$|file:.+$|airflow:[\w.-]+$", value):
        raise ValueError("this does not say where the URL lies; write env:NAME, file:PATH or airflow:CONN_ID")
    return value


def _url_or_mapping(value: object) -> object:
    return {"url": value} if not isinstance(value, dict) else value


def _signature(value: object) -> object:
    if isinstance(value, dict) and bool(value.get("public_key")) == bool(value.get("certificate_chain")):
        raise ValueError("this names no signer, or two; write public_key: key.pem, or certificate_chain: [root.pem]")
    return value


def _workers() -> int:
    return min(os.cpu_count() or 1, 8)


def _count(least: int, most: int) -> BeforeValidator:
    return BeforeValidator(partial(values.whole, least=least, most=most))


def _factor(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 < value <= 1e9:
        raise ValueError(f"{value!r} is not allowed; write a number above 1: so many times as much is an anomaly")
    return float(value)


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError(f"{value!r} is no share; write a number above 0, up to 1")
    return float(value)


def _gates(value: object) -> object:
    if value == "none":
        return None
    if not isinstance(value, dict):
        raise ValueError(
            "this must hold thresholds; write `gates: {norm_jump: 10}`, or `gates: none` to compare nothing"
        )
    return value


Factor = Annotated[float, BeforeValidator(_factor)]
Share = Annotated[float, BeforeValidator(_share)]
ScenarioName = Annotated[str, BeforeValidator(_one_of(tuple(SCENARIOS)))]
Text = Annotated[str, BeforeValidator(values.text)]
Schedule = Annotated[str | None, BeforeValidator(values.schedule)]
Duration = Annotated[timedelta, BeforeValidator(values.duration)]
Rate = Annotated[int | None, BeforeValidator(values.optional_rate)]
Kept = Annotated[int, _count(0, 100_000)]
Credentials = Annotated[str | None, BeforeValidator(values.credentials)]


class LockSchema(Strict):
    """`lock:` of a region."""

    mode: Annotated[Literal["governance", "compliance"], BeforeValidator(_one_of(("governance", "compliance")))]
    days: Annotated[int, _count(1, 36_500)]


class PlaceSchema(Strict):
    """Where objects are."""

    url: Annotated[str, BeforeValidator(store_url)]
    endpoint: Annotated[str | None, BeforeValidator(server_address)] = None


class StoreSchema(PlaceSchema):
    """A URL and what opens it."""

    credentials: Credentials = None


class RolesSchema(Strict):
    """`credentials:` of a region, by role."""

    reader: Credentials = None
    writer: Credentials = None
    verifier: Credentials = None
    janitor: Credentials = None

    @classmethod
    def of(cls, value: object) -> object:
        """Fields as they are; one reference is every role's."""
        if isinstance(value, dict):
            if not any(value.values()):
                raise ValueError("this names no role's credentials; write {reader: env:PREFIX, writer: env:PREFIX}")
            return value
        return cls(**dict.fromkeys(cls.model_fields, values.credentials(value)))


class RatesSchema(Strict):
    """Rates of a region."""

    upload: Rate = None
    download: Rate = None


class HoursSchema(RatesSchema):
    """One entry of `hours:` of a region's limits."""

    start: Annotated[time, BeforeValidator(values.time_of_day)] = Field(alias="from")
    end: Annotated[time, BeforeValidator(values.time_of_day)] = Field(alias="to")

    @model_validator(mode="after")
    def _say_something(self) -> Self:
        if self.start == self.end:
            raise ValueError("these hours begin and end at once; for the whole day put the rate beside hours:")
        if self.upload is None and self.download is None:
            raise ValueError("these hours limit nothing; add upload: or download:")
        return self


class RegionLimitsSchema(RatesSchema):
    """`limits:` of a region."""

    hours: list[HoursSchema] = Field(default=[])
    timezone: Annotated[ZoneInfo, BeforeValidator(values.timezone)] = Field(default_factory=lambda: ZoneInfo("UTC"))


class RegionSchema(PlaceSchema):
    """One entry of `regions:`."""

    credentials: Annotated[RolesSchema | None, BeforeValidator(RolesSchema.of)] = None

    lock: LockSchema | None = None
    limits: RegionLimitsSchema | None = None
    rehearsal: RehearsalSchema | None = None
    pool: Annotated[str | None, Field(pattern=r"^[\w.-]{1,200}$")] = None


class ObjectivesSchema(Strict):
    """`objectives:` of an asset."""

    rpo: Duration = timedelta(hours=24)
    rto: Duration = timedelta(hours=4)


class RetentionSchema(Strict):
    """`retention:` of an asset."""

    hourly: Kept = 24
    daily: Kept = 7
    weekly: Kept = 5
    monthly: Kept = 12
    yearly: Kept = 0
    last: Kept = 0
    keep_within: Annotated[timedelta, BeforeValidator(_optional_duration)] = timedelta(days=1)
    max_age: Annotated[timedelta | None, BeforeValidator(values.optional_duration)] = None
    quarantined: Annotated[timedelta, BeforeValidator(_optional_duration)] = timedelta(days=30)


class VerifySchema(Strict):
    """`verify:` of an asset."""

    schedule: Schedule = "0 4 * * *"
    within: Duration = timedelta(days=30)
    heal: Annotated[bool, BeforeValidator(_switch)] = False


class DrillSchema(Strict):
    """`drill:` of an asset."""

    schedule: Schedule = "0 3 * * 1"
    scenario: ScenarioName = "region-lost"
    scenarios: Annotated[list[ScenarioName], BeforeValidator(_plan)] = Field(default=[])
    standby: Annotated[str, BeforeValidator(values.name)] = "local"
    link: Annotated[int, BeforeValidator(values.rate)] = 2_000_000
    takes_source: Annotated[bool, BeforeValidator(_switch)] = False
    control: Annotated[timedelta | None, BeforeValidator(values.optional_duration)] = timedelta(minutes=1)


class SignatureSchema(Strict):
    """`signature:` of an asset."""

    public_key: Text | None = None
    certificate_chain: list[Text] = Field(default=[])


class GatesSchema(Strict):
    """`gates:` of an asset."""

    norm_jump: Factor = 10.0
    changed_tensors: Share = 1.0
    new_bytes: Share = 0.95
    incompressible: Share = 0.98
    growth: Factor = 10.0
    shrink: Share = 0.5
    nulls: Share = 0.3
    structure: Annotated[bool, BeforeValidator(_switch)] = True


class AssetSchema(Strict):
    """One entry of `assets:`."""

    kind: Annotated[Literal["model", "dataset"], BeforeValidator(_one_of(("model", "dataset")))]
    source: Annotated[StoreSchema, BeforeValidator(_url_or_mapping)]
    regions: list[Text]
    schedule: Schedule = "0 2 * * *"
    objectives: ObjectivesSchema = ObjectivesSchema()
    retention: RetentionSchema = RetentionSchema()
    verify: VerifySchema = VerifySchema()
    drill: DrillSchema = DrillSchema()
    smoke: SmokeSchema | None = None
    expectations: Text | None = None
    signature: Annotated[SignatureSchema | None, BeforeValidator(_signature)] = None
    gates: Annotated[GatesSchema | None, BeforeValidator(_gates)] = GatesSchema()


class OrchestratorDrillSchema(DrillSchema):
    """`drill:` of the orchestrator."""

    scenario: ScenarioName = "airflow-database-lost"


class OrchestratorSchema(Strict):
    """`orchestrator:` of the whole file."""

    regions: list[Text]
    schedule: Schedule = "*/30 * * * *"
    database: Annotated[str, BeforeValidator(_reference)] = "env:DR_AIRFLOW_DATABASE"
    rehearsal: Annotated[str | None, BeforeValidator(_reference)] = None
    dags: Text | None = None
    plugins: Text | None = None
    staging: Text | None = None
    queue: Annotated[str | None, Field(pattern=r"^[\w.-]{1,200}$")] = None
    saves_keys: Annotated[bool, BeforeValidator(_switch)] = False
    objectives: ObjectivesSchema = ObjectivesSchema()
    retention: RetentionSchema = RetentionSchema()
    verify: VerifySchema = VerifySchema()
    drill: OrchestratorDrillSchema = OrchestratorDrillSchema()


class PruneSchema(Strict):
    """`prune:` of the whole file."""

    apply: Annotated[bool, BeforeValidator(_switch)] = False
    schedule: Schedule = "30 5 * * *"
    grace: Duration = timedelta(hours=72)
    objects: Annotated[int, _count(1, 10_000_000)] = 10_000
    bytes: Annotated[int, BeforeValidator(values.size)] = 10**12


class LimitsSchema(Strict):
    """`limits:` of the whole file."""

    shard: Annotated[int, BeforeValidator(values.size)] = 512 << 20
    workers: Annotated[int, _count(1, 256)] = Field(default_factory=_workers)


class CatalogSchema(Strict):
    """`catalog:` of the whole file."""

    url: Annotated[str, BeforeValidator(_database)] = ""
    stale_after: Duration = timedelta(minutes=15)
    schedule: Schedule = "*/5 * * * *"


class FileSchema(Strict):
    """A whole `dr.yaml`."""

    version: Annotated[int, BeforeValidator(_version)] = 1
    regions: dict[str, RegionSchema]
    encryption: Annotated[EncryptionSchema | None, BeforeValidator(encryption_or_none)]
    signing: Annotated[SigningSchema | None, BeforeValidator(signing_or_none)] = None
    assets: dict[str, AssetSchema] = Field(default={})
    standbys: dict[str, StandbySchema] = Field(default={})
    limits: LimitsSchema = Field(default_factory=LimitsSchema)
    prune: PruneSchema = PruneSchema()
    catalog: CatalogSchema = CatalogSchema()
    alerts: AlertsSchema = AlertsSchema()
    metrics: MetricsSchema = MetricsSchema()
    orchestrator: OrchestratorSchema | None = None
    serving: dict[str, EndpointSchema] = Field(default={})


EXAMPLES: dict[str, Any] = {
    "regions": "add `regions: {us-east: {url: s3://bucket}}`",
    "encryption": "add `encryption: {recipients: [age1…, age1…]}`, or `encryption: none` to store in clear",
    "kind": "add `kind: model` or `kind: dataset`",
    "source": "add `source: file:///directory` or `source: s3://bucket/prefix`",
    "url": "add `url: s3://bucket/prefix`, `url: file:///directory` or `url: rclone:remote:path`",
    "image": "add `image: name@sha256:…`",
    "mode": "add `mode: governance` or `mode: compliance`",
    "from": 'add `from: "08:00"`',
    "to": 'add `to: "18:00"`',
    "days": "add `days: 30`",
}
