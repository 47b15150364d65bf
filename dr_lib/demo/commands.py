"""`drctl demo up | run | down | status`: each may be repeated, and each mends what an interrupted one left."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from dr_lib.clock import monotonic
from dr_lib.demo.configuration import write_configuration
from dr_lib.demo.main_job import MainJob, undo_disaster
from dr_lib.demo.outsider import Seen, look_at
from dr_lib.demo.processes import AIRFLOW, REGION, await_free, end, members
from dr_lib.demo.regions import REGIONS, DemoRegions
from dr_lib.demo.report import job_report
from dr_lib.demo.start_up import airflow_records, api_of, bring_up, login, runtime_of, site_of, stores_of
from dr_lib.demo.workspace import Workspace
from dr_lib.errors import UsageError

Facts = dict[str, Any]
Say = Callable[[str], None]


def say_on_stderr(message: str) -> None:
    """One line for a person; standard output stays free for the result."""
    print(message, file=sys.stderr, flush=True)


def up(*, workspace: Workspace | None = None, say: Say = say_on_stderr) -> Facts:
    """Start the regions and Airflow, stage the assets, create the vaults.

    Returns `{home, config, url, user, password, started}`; `started` is empty when everything was up.
    Leftovers of an interrupted start are ended first.
    """
    demo = workspace or Workspace.default()
    if undo_disaster(demo):
        say("brought the live data back that an interrupted run had taken away")
    started = bring_up(demo, say)
    say(f"everything is up already in {demo.home}" if not started else f"up: {', '.join(started)}")
    return login(demo) | {"home": str(demo.home), "config": str(demo.config_file), "started": started}


def run(*, workspace: Workspace | None = None, say: Say = say_on_stderr) -> Facts:
    """Bring up what is not up, do the main job, and report it; `proven` in the report is True when every asset is."""
    demo = workspace or Workspace.default()
    up(workspace=demo, say=say)
    began = monotonic()
    with api_of(demo) as api:
        job = MainJob(demo, DemoRegions(demo), api, say).run()
    report = job_report(job, runtime_of(demo).points(), _seen(demo, job), login(demo))
    return report | {"seconds": round(monotonic() - began, 1)}


def down(*, workspace: Workspace | None = None, say: Say = say_on_stderr) -> Facts:
    """End every process of the demo and bring the live data back; the files stay. `{home, ended, ports_taken}`.

    `ports_taken` lists the ports of the demo that something still holds: empty unless another program took them.
    """
    demo = workspace or Workspace.default()
    ended = end(members(demo.home, AIRFLOW, REGION))
    undo_disaster(demo)
    taken = await_free(_ports(demo))
    say(f"ended {ended} processes of {demo.home}" if ended else f"nothing was running in {demo.home}")
    return {"home": str(demo.home), "ended": ended, "ports_taken": taken}


def pull(lever: str, region: str, workspace: Workspace) -> Facts:
    """Do to a region what `lever` says (`configuration.LEVERS`); safe to repeat. `{region, lever, running}`.

    What drills call in the demo. `UsageError` (2) for a region that there is not, or was never started.
    """
    regions = DemoRegions(workspace)
    known = [fact["region"] for fact in regions.facts()]
    if region not in known:
        raise UsageError(f"no region {region!r} runs here", where=str(workspace.home), hint=f"regions: {known}")
    pulled = {"lose": regions.lose, "revoke": regions.revoke}.get(lever, regions.start)
    before = regions.endpoint(region)
    pulled(region)
    if regions.endpoint(region) != before:
        write_configuration(workspace, {name: regions.endpoint(name) for name in REGIONS})
    return {"region": region, "lever": lever, "running": regions.is_running(region)}


def status(*, workspace: Workspace | None = None) -> Facts:
    """What runs: `{home, up, regions: [...], airflow: {...}}`. Starts and changes nothing."""
    demo = workspace or Workspace.default()
    regions = DemoRegions(demo).facts()
    airflow = [{"process": record.name, "pid": record.pid, "running": record.alive} for record in airflow_records(demo)]
    site = site_of(demo)
    healthy = site is not None and all(one["running"] for one in airflow) and site.healthy()
    return {
        "home": str(demo.home),
        "up": healthy and len(regions) == len(REGIONS) and all(one["running"] for one in regions),
        "regions": regions,
        "airflow": {"url": site.url if site else None, "healthy": healthy, "processes": airflow},
    }


def _seen(demo: Workspace, job: dict[str, Facts]) -> dict[str, Seen]:
    signing = runtime_of(demo).config.signing
    trusted, stores = signing.trusted if signing else (), stores_of(demo)
    return {asset: look_at(stores, asset, facts["point"]["point"], trusted) for asset, facts in job.items()}


def _ports(demo: Workspace) -> list[int]:
    site = site_of(demo)
    return DemoRegions(demo).ports() + ([site.port] if site else [])
