"""A region that does not answer stops neither the backups nor the restores, and is never passed over in silence."""

from collections.abc import Callable
from pathlib import Path

from dr_lib.demo.seaweed import SeaweedRegion
from tests.walkthrough.command_line import Drctl

CONFIG = """
encryption: none
regions:
  us-east: {{url: "s3://dr-us-east", endpoint: "{east}", credentials: "env:EAST"}}
  eu-west: {{url: "s3://dr-eu-west", endpoint: "{west}", credentials: "env:WEST"}}
assets:
  model: {{kind: model, source: "{source}", regions: [us-east, eu-west]}}
"""


def test_backups_go_on_while_the_first_region_is_lost(tmp_path: Path, new_region: Callable[[], SeaweedRegion]):
    east, west = new_region(), new_region()
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "file").write_text("content")
    (tmp_path / "dr.yaml").write_text(CONFIG.format(east=east.endpoint, west=west.endpoint, source=tmp_path / "live"))
    drctl = Drctl(tmp_path)
    drctl.credentials("EAST", east)
    drctl.credentials("WEST", west)
    assert drctl("init")[0] == 0
    east.stop()

    code, told = drctl("backup", "model")
    assert (code, "committed in eu-west" in told["error"]["what"]) == (6, True)
    assert "drctl replicate model" in told["error"]["hint"]
    (point,) = drctl("points", "model")[1]
    assert point["copies"] == {"us-east": "unknown", "eu-west": "complete"}
    code, standing = drctl("status")
    assert (code, "us-east does not answer" in standing["assets"][0]["problems"]) == (3, True)

    east.start()
    code, done = drctl("replicate", "model")
    assert (code, [copy["region"] for copy in done["copied"]]) == (0, ["us-east"])
    assert drctl("verify", "model")[0] == 0
    (point,) = drctl("points", "model")[1]
    assert point["copies"] == {"us-east": "verified", "eu-west": "verified"}
