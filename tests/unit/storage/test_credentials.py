from pathlib import Path

import pytest

from dr_lib.errors import UsageError
from dr_lib.storage.credentials import Credentials, resolve

ENVIRON = {"DR_X_ACCESS_KEY_ID": "id", "DR_X_SECRET_ACCESS_KEY": "hush"}


def test_a_prefix_names_three_variables() -> None:
    assert resolve("env:DR_X", "region x", environ=ENVIRON, connections=None) == Credentials("id", "hush")
    with_token = ENVIRON | {"DR_X_SESSION_TOKEN": "token"}
    assert resolve("env:DR_X", "region x", environ=with_token, connections=None).session_token == "token"


@pytest.mark.parametrize("absent", sorted(ENVIRON))
@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_is_named(absent: str, value: str | None) -> None:
    environ = {**ENVIRON, absent: value} if value is not None else {k: v for k, v in ENVIRON.items() if k != absent}
    with pytest.raises(UsageError, match=rf"{absent} is not set \[region x\]") as wrong:
        resolve("env:DR_X", "region x", environ=environ, connections=None)
    assert "hush" not in str(wrong.value)


def test_a_profile_and_the_default_chain() -> None:
    assert resolve("profile:ops", "region x", environ={}, connections=None) == Credentials(profile="ops")
    assert resolve(None, "region x", environ=ENVIRON, connections=None) == Credentials()


def test_a_connection_is_resolved_by_what_was_injected() -> None:
    known = {"dr_eu": Credentials("id", "hush")}
    assert resolve("airflow:dr_eu", "region x", environ={}, connections=known.__getitem__) == known["dr_eu"]


def test_a_connection_outside_airflow_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="airflow:dr_eu"):
        resolve("airflow:dr_eu", "region x", environ={}, connections=None)


@pytest.mark.parametrize("name", ["env:", "vault:x", "hush", "profile:", ""])
def test_any_other_form_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="region x"):
        resolve(name, "region x", environ=ENVIRON, connections=None)


def test_secrets_are_not_shown() -> None:
    assert "hush" not in repr(Credentials("id", "hush", "hush"))


def test_a_profile_leads_to_keys_that_can_be_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dr_lib.storage.s3_session import frozen

    file = tmp_path / "credentials"
    file.write_text("".join(f"[{n}]\naws_access_key_id = {n}-key\naws_secret_access_key = {n}-secret\n" for n in "ab"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    assert frozen(Credentials(profile="b"), "region b") == Credentials("b-key", "b-secret")
    with pytest.raises(UsageError, match="no S3 session can be opened"):
        frozen(Credentials(profile="c"), "region c")
