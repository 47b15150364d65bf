"""The crash campaign in its short form: twenty deaths, of every command and of the server."""

from pathlib import Path

import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from tests.campaigns.crash import campaign, report
from tests.campaigns.killable import COMMANDS

DEATHS, SEED = 20, 4


@pytest.mark.timeout(600)
def test_no_command_killed_at_any_instant_loses_a_point(tmp_path: Path):
    server = SeaweedRegion(tmp_path / "server", "crash-key", "crash-secret")
    server.start()
    try:
        deaths = list(campaign(tmp_path, server, DEATHS, SEED))
    finally:
        server.stop()
    assert [(death.lost, death.problems) for death in deaths] == [((), ())] * DEATHS, report(deaths)
    assert {death.command for death in deaths} == {command.name for command in COMMANDS}
    assert {death.victim for death in deaths} == {"command", "server"}
