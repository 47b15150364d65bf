"""drctl recover: everything comes back and nothing starts; bad input is refused; killed anywhere, it goes on."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dr_lib import reviving
from dr_lib.clock import utc_now
from dr_lib.errors import DrError, IntegrityError, NotFound, PermissionDenied, Refused, UsageError
from dr_lib.orchestrator import database, environment
from dr_lib.orchestrator.home import Home
from dr_lib.use_cases.bare_vault import Address
from tests.keys import keys
from tests.unit.orchestrator.conftest import Site


def new(site: Site, to: str = "new") -> Path:
    return site.folder / to / "airflow" / "airflow.db"


def test_it_comes_back_paused_with_its_runs_marked_and_its_term(site: Site):
    site.runtime().hold_term(None)
    point = site.save()
    site.lose()
    done = site.recover()
    assert (done["point"], done["region"], done["term"]) == (point, "two", 2)
    assert done["awake"] == ["dr_backup__m"]
    assert done["marked"] == [{"dag": "dr_backup__m", "run": "now", "state": "running", "tasks": ["store_shards"]}]
    assert done["dropped"] == {"asset_dag_run_queue": 1}
    assert done["connections"] == ["pager"]
    assert done["catalog"]["points"] == 2
    assert site.sql("SELECT count(*) FROM dag WHERE NOT is_paused", new(site)) == [(0,)]
    assert site.sql("SELECT state FROM dag_run ORDER BY id", new(site)) == [("success",), ("failed",)]
    states = site.sql("SELECT state FROM task_instance WHERE run_id = 'now' ORDER BY task_id", new(site))
    assert states == [("failed",), ("success",), ("failed",)]
    [(note,)] = site.sql("SELECT content FROM dag_run_note", new(site))
    assert "not repeated" in note
    assert site.sql("SELECT val FROM variable WHERE key = 'dr_term'", new(site)) == [("2",)]
    assert site.sql("SELECT state FROM job", new(site)) == [("failed",)]


def test_nobody_prunes_before_go_and_go_wakes_what_was_awake(site: Site):
    site.save()
    site.lose()
    site.recover()
    with pytest.raises(Refused, match="nobody has said go"):
        site.runtime().prune(apply=True)
    assert site.runtime().prune()["exit_code"] == 0
    environ = {"DR_CACHE_DIR": str(site.folder / "cache")}
    for _ in range(2):
        said = reviving.go(site.folder / "new", "looked at it", environ=environ)
        assert said["dags"] == ["dr_backup__m"]
    assert site.sql("SELECT dag_id FROM dag WHERE NOT is_paused", new(site)) == [("dr_backup__m",)]
    assert site.runtime().prune(apply=True)["exit_code"] == 0
    with pytest.raises(NotFound):
        reviving.go(site.folder / "elsewhere", "why", environ=environ)


def test_killed_at_any_step_the_same_command_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch):
    """Every write of the journal dies once, before and after it is durable; one term is taken and all ends well."""
    site.save()
    site.lose()
    note = Home.note
    died: set[tuple[str, ...]] = set()

    def dying(self: Home, **facts: object):
        name = tuple(sorted(facts))
        if ("before", *name) not in died:
            died.add(("before", *name))
            raise KeyboardInterrupt
        found = note(self, **facts)
        if ("after", *name) not in died:
            died.add(("after", *name))
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(Home, "note", dying)
    for _ in range(40):
        try:
            done = site.recover()
        except KeyboardInterrupt:
            continue
        break
    assert len(died) > 12
    assert done["awake"] == ["dr_backup__m"]
    assert [one["run"] for one in done["marked"]] == ["now"]
    assert site.sql("SELECT count(*) FROM dag WHERE NOT is_paused", new(site)) == [(0,)]
    assert site.runtime().term().number == done["term"]


def test_while_the_old_scheduler_writes_into_its_database_it_is_refused(site: Site):
    site.save()
    beat = utc_now().strftime("%Y-%m-%d %H:%M:%S.%f")
    site.sql(f"UPDATE job SET latest_heartbeat = '{beat}'")
    with pytest.raises(Refused, match="is alive"):
        site.recover()
    assert site.runtime().term() is None
    assert not new(site).exists()


@pytest.mark.parametrize(
    ("url", "host", "refused"),
    [
        ("http://127.0.0.1:8080", "here", True),
        ("http://localhost:8080", "elsewhere", False),
        ("http://airflow.example.net", "elsewhere", True),
    ],
)
def test_a_web_interface_that_answers_is_alive_unless_it_is_another_machines_loopback(
    site: Site, monkeypatch: pytest.MonkeyPatch, url: str, host: str, *, refused: bool
):
    monkeypatch.setattr("platform.node", lambda: host)
    site.runtime().backup_orchestrator(site.settings | {"AIRFLOW__API__BASE_URL": url})
    site.lose()
    monkeypatch.setattr("platform.node", lambda: "here")
    monkeypatch.setattr("dr_lib.orchestrator.processes.health", lambda _: {"scheduler": {"status": "healthy"}})
    if refused:
        with pytest.raises(Refused, match="is alive"):
            site.recover()
    else:
        site.recover()


def test_of_two_recoveries_one_gets_the_term(site: Site):
    site.runtime().hold_term(None)
    site.save()
    site.lose()
    site.recover()
    late = site.runtime()
    with pytest.raises(Refused, match="two must not run"):
        late.refuse_superseded(1)
    assert site.recover("another")["term"] == 3
    both = [replace(site.runtime().term(), number=4, holder=holder) for holder in ("here", "there")]
    assert late.claim(both[0]) == both[0]
    assert late.claim(both[0]) == both[0]  # told twice
    with pytest.raises(Refused, match="somebody else took the term 4"):
        site.runtime().claim(both[1])


def test_the_wrong_key_no_key_and_no_vault(site: Site):
    site.save()
    site.lose()
    two = (site.folder / "two").as_uri()
    for address, error in (
        (Address(two, site.folder / "other.agekey"), PermissionDenied),
        (Address(two, site.folder / "nobody.agekey"), UsageError),
        (Address((site.folder / "nowhere").as_uri(), site.folder / "escrow.agekey"), NotFound),
        (Address(two, site.folder / "escrow.agekey", trusted=("ed25519:" + "A" * 43 + "=",)), IntegrityError),
    ):
        with pytest.raises(error):
            site.recover(f"to {error.__name__}", vault=address)
    assert site.runtime().term() is None


def test_a_vault_with_half_of_its_objects_restores_nothing(site: Site):
    site.save()
    site.lose()
    for path in sorted((site.folder / "two" / "packs").rglob("*")):
        if path.is_file():
            path.unlink()
    with pytest.raises(DrError) as caught:
        site.recover()
    assert caught.value.exit_code == 4
    assert not (site.folder / "new" / "restored").exists()
    assert site.runtime().term() is None


def test_a_dump_of_another_airflow_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch):
    site.save()
    site.lose()
    packages = environment.packages()
    monkeypatch.setattr(environment, "packages", lambda: packages | {"apache-airflow": "2.11.0"})
    with pytest.raises(Refused, match=r"and Airflow 2\.11\.0 is here"):
        site.recover()
    monkeypatch.undo()
    revised = database.facts_of
    monkeypatch.setattr(
        database, "facts_of", lambda c, kind: _with_revision(revised(c, kind)) if kind == "sqlite" else None
    )
    with pytest.raises(IntegrityError, match="of another Airflow"):
        site.recover()
    assert site.sql("SELECT count(*) FROM dag WHERE NOT is_paused", new(site)) == [(1,)]  # rolled back as a whole


def _with_revision(facts):
    return replace(facts, revisions={"alembic_version": "later"})


def test_a_database_that_holds_anything_is_never_touched(site: Site):
    site.save()
    taken = site.folder / "taken.db"
    shutil.copy(site.database, taken)
    site.lose()
    before = taken.read_bytes()
    (site.folder / "url").write_text(f"sqlite:///{taken}")
    with pytest.raises(Refused, match="not empty"):
        site.recover(database=f"file:{site.folder / 'url'}")
    assert taken.read_bytes() == before
    assert site.runtime().term() is None


def test_a_prune_of_a_region_where_no_term_stands_waits_for_go_too(site: Site):
    said = json.loads((site.folder / "dr.yaml").read_text())
    said["orchestrator"]["regions"] = ["two"]
    (site.folder / "dr.yaml").write_text(json.dumps(said))
    site.save()
    site.lose()
    site.recover()
    with pytest.raises(Refused, match="nobody has said go"):
        site.runtime().prune(region="one", apply=True)


def test_what_is_in_a_snapshot_cannot_tell_pip_or_a_shell_what_to_do(site: Site):
    lines = ("a-b==1.0", "--index-url http://evil", "x @ git+http://evil", "c==1; touch /x")
    assert environment.pins("\n".join(lines)) == {"a-b": "1.0"}
    odd = {"AIRFLOW__X; touch y #": "1", "AIRFLOW__CORE__NAME": "$(touch z)"}
    site.runtime().backup_orchestrator(site.settings | odd)
    site.lose()
    site.recover()
    written = (site.folder / "new" / "airflow.env").read_text()
    assert "touch y" not in written
    assert "export AIRFLOW__CORE__NAME='$(touch z)'" in written


def test_it_says_whose_signatures_it_took(site: Site):
    site.save()
    site.lose()
    assert (site.recover()["signers"], site.recover()["pinned"]) == ([keys().public], False)
    address = replace(site.order().vault, trusted=(keys().public,))
    assert site.recover("pinned", vault=address)["pinned"]


def test_the_lost_databases_place_is_left_alone(site: Site):
    site.save()
    site.lose()
    site.recover()
    assert not site.database.exists()


def test_go_where_nothing_was_recovered_leaves_nothing(site: Site):
    for call in (lambda to: reviving.go(to, "why", environ={}), reviving.stop):
        with pytest.raises(NotFound):
            call(site.folder / "nowhere")
    assert not (site.folder / "nowhere").exists()


def test_a_directory_with_other_things_is_refused(site: Site):
    site.save()
    (site.folder / "new").mkdir()
    (site.folder / "new" / "mine").write_text("kept")
    with pytest.raises(Refused, match="other things"):
        site.recover()
    assert [path.name for path in (site.folder / "new").iterdir()] == ["mine"]


def test_without_the_signing_key_it_says_what_to_bring(site: Site):
    said = json.loads((site.folder / "dr.yaml").read_text())
    said["orchestrator"]["saves_keys"] = False
    (site.folder / "dr.yaml").write_text(json.dumps(said))
    site.save()
    site.lose()
    with pytest.raises(UsageError) as caught:
        site.recover()
    assert "no signing key is here" in str(caught.value)
