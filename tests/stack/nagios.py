"""Nagios in the foreground, over services that a test names, with everything that it writes in one folder."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "nagios" / "drctl.cfg"
Status = dict[str, dict[str, str]]

_MAIN = """\
log_file={at}/nagios.log
cfg_file={shipped}
cfg_file={at}/objects.cfg
object_cache_file={at}/objects.cache
precached_object_file={at}/objects.precache
resource_file={at}/resource.cfg
status_file={at}/status.dat
status_update_interval=1
nagios_user={user}
nagios_group={user}
command_file={at}/nagios.cmd
lock_file={at}/nagios.lock
temp_file={at}/nagios.tmp
temp_path={at}
check_result_path={at}
state_retention_file={at}/retention.dat
retain_state_information=0
query_socket={at}/nagios.qh
use_syslog=0
interval_length=1
service_inter_check_delay_method=n
check_workers=2
check_for_updates=0
enable_notifications=0
"""
_OBJECTS = """\
define timeperiod {{
    timeperiod_name 24x7
    alias always
    monday 00:00-24:00
    tuesday 00:00-24:00
    wednesday 00:00-24:00
    thursday 00:00-24:00
    friday 00:00-24:00
    saturday 00:00-24:00
    sunday 00:00-24:00
}}
define contact {{
    contact_name nobody
    host_notification_commands drctl_check
    service_notification_commands drctl_check
    host_notification_period 24x7
    service_notification_period 24x7
}}
define host {{
    host_name here
    address 127.0.0.1
    max_check_attempts 1
    check_period 24x7
    active_checks_enabled 0
    notification_interval 0
    notification_period 24x7
    contacts nobody
}}
"""
_SERVICE = """\
define service {{
    use dr-check
    host_name here
    service_description {name}
    _DR_CONFIG {config}
    check_command {command}
    check_interval 600
    max_check_attempts 1
    contacts nobody
}}
"""


@contextmanager
def nagios(at: Path, services: Mapping[str, tuple[str, Path]]) -> Iterator[Path]:
    """Runs the shipped command definitions; `services` are the check command and the dr.yaml by name. Ends it after.

    Yields the file of the status; `status` reads it.
    """
    at.mkdir()
    told = [_SERVICE.format(name=name, command=what, config=config) for name, (what, config) in services.items()]
    (at / "objects.cfg").write_text(_OBJECTS.format() + "".join(told))
    (at / "resource.cfg").write_text(f"$USER2$={Path(sys.executable).parent}\n")
    (at / "nagios.cfg").write_text(_MAIN.format(at=at, shipped=SHIPPED, user=getuser()))
    with (at / "output").open("w") as output:
        process = subprocess.Popen(["nagios4", str(at / "nagios.cfg")], stdout=output, stderr=output)
        try:
            yield at / "status.dat"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def checked(file: Path, seconds: int = 120) -> Status:
    """What Nagios knows of each service, once it has checked all of them."""
    waiting = Retrying(
        retry=retry_if_result(lambda found: not _complete(found)),
        stop=stop_after_delay(seconds),
        wait=wait_fixed(0.25),
        retry_error_callback=lambda _: {},
    )
    found = waiting(lambda: status(file))
    assert found, (file.parent / "output").read_text() + file.parent.joinpath("nagios.log").read_text()
    return found


def status(file: Path) -> Status:
    """The services in a status.dat, by name; empty before there is one."""
    found: Status = {}
    for block in file.read_text().split("servicestatus {")[1:] if file.exists() else ():
        lines = (line.strip().partition("=") for line in block.partition("\n\t}")[0].splitlines() if "=" in line)
        facts = {name: value for name, _, value in lines}
        found[facts["service_description"]] = facts
    return found


def _complete(found: Status) -> bool:
    return bool(found) and all(one["has_been_checked"] == "1" for one in found.values())
