"""What drills pull in the demo, and what its dr.yaml says of it."""

from __future__ import annotations

import pytest

from dr_lib.cli.main import main
from dr_lib.config import load_config
from dr_lib.demo.commands import pull
from dr_lib.demo.configuration import LEVERS, write_configuration
from dr_lib.demo.keys import make_keys
from dr_lib.demo.regions import REGIONS
from dr_lib.demo.workspace import Workspace
from dr_lib.errors import UsageError


def test_every_region_has_levers_that_are_commands_of_the_demo(tmp_path, capsys):
    demo = Workspace(tmp_path / "a folder")
    make_keys(demo)
    write_configuration(demo, dict.fromkeys(REGIONS, "http://127.0.0.1:1"))
    for name, region in load_config(demo.config_file).regions.items():
        found = region.rehearsal
        assert found.damage
        for argv, lever in zip((found.lose, found.give_back, found.revoke, found.reinstate), LEVERS, strict=True):
            assert argv[1:3] == ("-m", "dr_lib.cli")
            assert argv[3:] == ("demo", lever, name, "--home", str(demo.home))
            assert main(list(argv[3:])) == UsageError.exit_code, "nothing runs here"
            assert "no region" in capsys.readouterr().err


def test_a_region_that_never_ran_is_not_pulled(tmp_path):
    with pytest.raises(UsageError, match="no region 'us-east' runs here"):
        pull("lose", "us-east", Workspace(tmp_path))
