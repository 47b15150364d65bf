"""Saving the orchestrator: what is in the point, and that no secret is left lying about."""

import json
import stat
from pathlib import Path

import pytest

from dr_lib.errors import Refused, UsageError
from dr_lib.orchestrator import environment
from tests.unit.orchestrator.conftest import Site


def test_everything_that_it_takes_is_in_the_point(site: Site, tmp_path: Path):
    point = site.save()
    site.runtime().restore("orchestrator", str(tmp_path / "back"), point=point)
    back = tmp_path / "back"
    assert (back / "code" / "dags" / "own.py").read_text() == "x = 1\n"
    assert (back / "code" / "dr_lib" / "reviving.py").is_file()
    assert json.loads((back / "connections.json").read_text())["pager"]["password"] == "hush"
    assert json.loads((back / "settings.json").read_text())["AIRFLOW__CORE__FERNET_KEY"] == site.fernet
    assert "apache-airflow==" in (back / "requirements.txt").read_text()
    said = json.loads((back / "orchestrator.json").read_text())
    assert said["database"]["counts"]["dag_run"] == 2
    assert [one["run"] for one in said["database"]["in_flight"]] == ["now"]
    assert site.sql("SELECT count(*) FROM dag_run", back / "database.sqlite") == [(2,)]
    assert stat.S_IMODE((back / "settings.json").stat().st_mode) == 0o600


def test_nothing_of_what_was_gathered_stays_behind(site: Site):
    site.save()
    assert not (site.folder / ".dr-state" / "orchestrator").exists()
    for region in ("one", "two"):
        stored = b"".join(path.read_bytes() for path in (site.folder / region).rglob("*") if path.is_file())
        assert b"hush" not in stored
        assert site.fernet.encode() not in stored


def test_folders_of_links_and_a_catalog_that_is_not_named_are_no_reason_to_fail(site: Site, tmp_path: Path):
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "linked.py").write_text("y = 2\n")
    (site.folder / "dags" / "current").symlink_to(tmp_path / "repository")
    said = json.loads((site.folder / "dr.yaml").read_text()) | {"catalog": {"url": "env:DR_CATALOG_OF_NOBODY"}}
    (site.folder / "dr.yaml").write_text(json.dumps(said))
    point = site.save()
    site.runtime().restore("orchestrator", str(tmp_path / "back"), point=point)
    assert (tmp_path / "back" / "code" / "dags" / "current" / "linked.py").read_text() == "y = 2\n"
    assert "DR_CATALOG_OF_NOBODY" in (tmp_path / "back" / "catalog" / "not-saved.txt").read_text()


def test_what_a_killed_one_left_is_removed_by_the_next(site: Site):
    left = site.folder / ".dr-state" / "orchestrator"
    left.mkdir(parents=True)
    (left / "settings.json").write_text("secret of yesterday")
    site.save()
    assert not left.exists()


def test_without_the_right_fernet_key_nothing_is_saved(site: Site):
    for key in ("", "c2hvcnQ=", "A" * 43 + "="):
        with pytest.raises(UsageError, match="Fernet"):
            site.runtime().backup_orchestrator({"AIRFLOW__CORE__FERNET_KEY": key})
    assert site.runtime().points("orchestrator") == []
    assert not (site.folder / ".dr-state" / "orchestrator").exists()


def test_a_database_that_is_not_named_or_is_another_is_refused(site: Site):
    del site.environ["DR_AIRFLOW_DATABASE"]
    with pytest.raises(UsageError, match="DR_AIRFLOW_DATABASE is not set"):
        site.save()
    for url in ("no url", "mysql://user:hidden@host/x"):
        site.environ["DR_AIRFLOW_DATABASE"] = url
        with pytest.raises(UsageError) as caught:
            site.save()
        assert "hidden" not in str(caught.value)


def test_a_configuration_in_the_clear_cannot_hold_it(site: Site):
    said = json.loads((site.folder / "dr.yaml").read_text())
    (site.folder / "dr.yaml").write_text(json.dumps(said | {"encryption": "none", "signing": "none"}))
    with pytest.raises(UsageError, match="in clear"):
        site.runtime()


def test_no_asset_takes_its_name(site: Site):
    said = json.loads((site.folder / "dr.yaml").read_text())
    said["assets"]["orchestrator"] = said["assets"]["m"]
    (site.folder / "dr.yaml").write_text(json.dumps(said))
    with pytest.raises(UsageError, match="the orchestrator itself"):
        site.runtime()


def test_the_doctor_says_whether_it_can_be_saved_from_here(site: Site):
    checks = {check["name"]: check for check in site.runtime().doctor()["checks"]}
    assert checks["saving Airflow"]["detail"] == "can be done here"
    assert "source of orchestrator" not in checks
    del site.environ["DR_AIRFLOW_DATABASE"]
    checks = {check["name"]: check for check in site.runtime().doctor()["checks"]}
    assert "leads to no database" in checks["saving Airflow"]["detail"]


def test_a_local_build_is_no_other_package():
    assert "+" not in environment.requirements(environment.packages())


def test_the_first_one_holds_the_first_term_and_another_airflow_is_refused(site: Site):
    runtime = site.runtime()
    assert runtime.hold_term(None) == 1
    assert runtime.hold_term(1) == 1
    runtime.refuse_superseded(1)
    runtime.refuse_superseded(None)  # a task at work while the first term was taken
    for number in (None, 2):
        with pytest.raises(Refused, match="two must not run"):
            runtime.hold_term(number)
