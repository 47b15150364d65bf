"""What is said of credentials that can do more than their role needs."""

import pytest

from dr_lib.model.region import Region, Role, RoleCredentials, StoreRef
from dr_lib.policy.separation import unseparated


def said_of(url: str = "s3://bucket", **named: str) -> str:
    credentials = RoleCredentials({Role(role): f"env:{prefix}" for role, prefix in named.items()})
    return "\n".join(unseparated([Region("east", StoreRef(url), credentials=credentials)]))


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"reader": "R", "writer": "W", "verifier": "V", "janitor": "J"}, []),
        (dict.fromkeys(Role, "ALL"), ["one credential can read, write and delete everything"]),
        (
            {"reader": "R", "writer": "W", "verifier": "V", "janitor": "W"},
            ["the janitor's credentials are the writer's too"],
        ),
        (
            {"writer": "W"},
            [
                "no janitor is named",
                "the reader is not named: the writer's credentials",
                "the verifier is not named: the writer's credentials",
            ],
        ),
        ({"reader": "R"}, ["no janitor", "no credentials of the writer", "no credentials of the verifier"]),
    ],
)
def test_a_region_in_s3(named, said):
    lines = said_of(**named).splitlines()
    assert len(lines) == len(said)
    assert all(line.startswith("region east: ") for line in lines)
    assert all(part in "\n".join(lines) for part in said)


def test_a_directory_and_a_remote_have_no_credentials_to_part():
    for url in ("file:///mnt/nas", "rclone:archive:dr"):
        assert said_of(url, **dict.fromkeys(Role, "ALL")) == ""
