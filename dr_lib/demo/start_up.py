"""From nothing, or from what an interrupted start left, to three regions with vaults and a working Airflow."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from dr_lib.demo.airflow_api import AirflowApi
from dr_lib.demo.airflow_processes import ADMIN, AirflowSite
from dr_lib.demo.configuration import stage_samples, write_configuration
from dr_lib.demo.keys import make_keys
from dr_lib.demo.main_job import dags_of_the_job
from dr_lib.demo.processes import AIRFLOW, ProcessRecord, end, first_free_port, members, port_is_free
from dr_lib.demo.regions import REGIONS, DemoRegions, new_credentials
from dr_lib.demo.workspace import Workspace
from dr_lib.errors import PermissionDenied, Refused, UsageError
from dr_lib.model.region import Role
from dr_lib.runtime import Runtime
from dr_lib.storage.base import ContainerStore
from dr_lib.storage.opening import open_store

PREFERRED_PORT = 8080
DAGS_SECONDS = 120.0
_PASSWORD = "DEMO_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable

Say = Callable[[str], None]


def bring_up(demo: Workspace, say: Say) -> list[str]:
    """Start what does not run and return its names; when it returns, Airflow has taken in the DAGs."""
    _make_secrets(demo)
    make_keys(demo)
    with ThreadPoolExecutor(max_workers=2) as threads:
        prepared = threads.submit(_prepare_airflow, demo, say)
        regions = _start_regions(demo, say)
        _undo_drills(demo, say)  # what a drill took away must not be staged anew in its place
        stage_samples(demo)
        site = prepared.result()
    _create_vaults(demo, say)
    return regions + (_start_airflow(site, say) if site else [])


def site_of(demo: Workspace) -> AirflowSite | None:
    """The Airflow that was started last in this workspace."""
    recorded = demo.read_state().get("airflow")
    return AirflowSite(demo, int(recorded["port"])) if recorded else None


def airflow_records(demo: Workspace) -> list[ProcessRecord]:
    """The processes of that Airflow, running or not."""
    recorded = demo.read_state().get("airflow") or {"processes": []}
    return [ProcessRecord.from_state(one) for one in recorded["processes"]]


def login(demo: Workspace) -> dict[str, Any]:
    """Address, user and password of the web interface; `UsageError` when Airflow was never started here."""
    site = site_of(demo)
    if site is None:
        raise UsageError("the demo is not up", where=str(demo.home), hint="drctl demo up")
    return {"url": site.url, "user": ADMIN, "password": demo.read_secrets()[_PASSWORD]}


@contextmanager
def api_of(demo: Workspace) -> Iterator[AirflowApi]:
    """A client that is logged in as the administrator."""
    facts = login(demo)
    api = AirflowApi(facts["url"], facts["user"], facts["password"])
    try:
        yield api
    finally:
        api.close()


def runtime_of(demo: Workspace) -> Runtime:
    """The demo's runtime, in this process."""
    return Runtime.load(demo.config_file, environ={**os.environ, **demo.read_secrets()})


def stores_of(demo: Workspace) -> dict[str, ContainerStore]:
    """Every region's store, with the credentials of the regions and no key of the vaults."""
    environ, regions = demo.read_secrets(), runtime_of(demo).config.regions
    return {
        name: open_store(regions[name].store_as(Role.READER), f"region {name}", environ=environ) for name in REGIONS
    }


def _make_secrets(demo: Workspace) -> None:
    known = demo.read_secrets()
    made = new_credentials() | {
        _PASSWORD: secrets.token_urlsafe(12),
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
    }
    if made.keys() - known.keys():
        demo.write_secrets(made | known)


def _start_regions(demo: Workspace, say: Say) -> list[str]:
    regions = DemoRegions(demo)
    regions.end_unrecorded()
    started = regions.start_missing()
    write_configuration(demo, {name: regions.endpoint(name) for name in REGIONS})
    if started:
        say(f"regions started: {', '.join(started)}")
    return started


def _undo_drills(demo: Workspace, say: Say) -> None:
    done = runtime_of(demo).undo_drills()
    for one in done["undone"]:
        say(f"undid what drill {one['drill']} ({one['scenario']}) had left")
    for one in done["failed"]:
        raise Refused(f"drill {one['drill']} ({one['scenario']}) cannot be undone: {one['why']}", where=str(demo.home))


def _create_vaults(demo: Workspace, say: Say) -> None:
    runtime = runtime_of(demo)
    if created := [region for region in REGIONS if _create_vault(runtime, region)]:
        say(f"vaults created in {', '.join(created)}")


def _create_vault(runtime: Runtime, region: str) -> bool:
    try:
        runtime.initialize([region])
    except PermissionDenied:
        raise
    except Refused:
        return False  # a vault of an earlier start: initializing never touches what is there
    return True


def _prepare_airflow(demo: Workspace, say: Say) -> AirflowSite | None:
    """The site to start, its database migrated; None when Airflow is up."""
    known = site_of(demo)
    records = airflow_records(demo)
    if known and records and all(record.alive for record in records) and known.healthy():
        return None
    if leftovers := end(members(demo.home, AIRFLOW)):
        say(f"ended {leftovers} processes that an earlier Airflow left")
    site = known if known and port_is_free(known.port) else AirflowSite(demo, first_free_port(PREFERRED_PORT))
    say("preparing Airflow's database")
    site.prepare()
    return site


def _start_airflow(site: AirflowSite, say: Say) -> list[str]:
    demo = site.workspace
    say(f"starting Airflow at {site.url}")
    records = site.start()
    airflow = {"port": site.port, "processes": [record.to_state() for record in records]}
    demo.write_state(demo.read_state() | {"airflow": airflow})
    site.wait(records)
    with api_of(demo) as api:
        api.wait_for_dags(dags_of_the_job(), DAGS_SECONDS)
    return ["airflow"]
