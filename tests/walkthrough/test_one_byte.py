"""One byte, from source to restore and into a damaged pack: the whole system in one page.

Two real S3 regions, the command line as a person would type it, and nothing simulated.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from dr_lib.demo.seaweed import SeaweedRegion
from tests.walkthrough.command_line import Drctl

KNOWN = b"\x2a"
CONFIG = """
version: 1
encryption: none
regions:
  us-east: {{url: "s3://dr-us-east/vault", endpoint: "{east}", credentials: "env:EAST"}}
  eu-west: {{url: "s3://dr-eu-west/vault", endpoint: "{west}", credentials: "env:WEST"}}
assets:
  answer: {{kind: model, source: "{source}", regions: [us-east, eu-west]}}
"""


def test_one_byte(tmp_path: Path, new_region: Callable[[], SeaweedRegion]):
    east, west = new_region(), new_region()
    live = tmp_path / "live"
    live.mkdir()
    (live / "byte").write_bytes(KNOWN)
    (tmp_path / "dr.yaml").write_text(CONFIG.format(east=east.endpoint, west=west.endpoint, source=live))
    drctl = Drctl(tmp_path)
    drctl.credentials("EAST", east)
    drctl.credentials("WEST", west)

    # the byte is stored in two regions, and every copy is read back
    assert drctl("init")[0] == 0
    code, backup = drctl("backup", "answer")
    assert (code, backup["logical_bytes"], backup["copies"]) == (0, 1, {"us-east": "complete", "eu-west": "complete"})
    assert drctl("verify", "answer")[0] == 0

    # the disaster: the source and the first region are gone
    (live / "byte").unlink()
    live.rmdir()
    east.stop()

    # the byte is back, from the region that is left
    code, restored = drctl("restore", "answer", "--to", str(tmp_path / "back"))
    assert (code, restored["region"], restored["bytes"]) == (0, "eu-west", 1)
    assert (tmp_path / "back" / "byte").read_bytes() == KNOWN

    # one bit of it turns in the surviving pack: nothing wrong is ever restored, and verification tells
    turn_one_bit(west)
    code, refused = drctl("restore", "answer", "--to", str(tmp_path / "again"))
    assert (code, refused["error"]["exit_code"]) == (4, 4)
    assert not (tmp_path / "again").exists()
    assert drctl("verify", "answer", "--region", "eu-west")[0] == 4
    (point,) = drctl("points", "answer")[1]
    assert point["copies"] == {"us-east": "unknown", "eu-west": "damaged"}


def turn_one_bit(region: SeaweedRegion) -> None:
    """Change the known byte in the region's only pack, through S3 itself."""
    keys: dict[str, Any] = {"aws_access_key_id": region.access_key, "aws_secret_access_key": region.secret_key}
    s3 = boto3.client("s3", endpoint_url=region.endpoint, region_name="us-east-1", **keys)
    (found,) = s3.list_objects_v2(Bucket="dr-eu-west", Prefix="vault/packs/")["Contents"]
    pack = s3.get_object(Bucket="dr-eu-west", Key=found["Key"])["Body"].read()
    at = pack.index(KNOWN, 8)
    s3.put_object(Bucket="dr-eu-west", Key=found["Key"], Body=pack[:at] + bytes([pack[at] ^ 1]) + pack[at + 1 :])
