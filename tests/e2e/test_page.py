"""The page Disaster Recovery in a real API server: who may see it, what it says, and what it says when it cannot."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import httpx
import pytest

from dr_lib.catalog.db.endpoints import put_endpoint
from dr_lib.catalog.db.opening import CatalogDb
from dr_lib.clock import utc_now
from dr_lib.model.serving import SeenEndpoint
from tests.stack.api_server import PASSWORDS, api_server, token
from tests.world import ASSET, World, make_world

CHROMIUM = shutil.which("chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SCRAPER = "0123456789abcdef, for this test alone"
NASTY = "<script>alert(1)</script>"


@dataclass(frozen=True)
class Site:
    """One API server with the page, and a configuration that tests may change."""

    url: str
    world: World
    tokens: dict[str, str]
    point: str
    drill: str

    def headers(self, user: str | None) -> dict[str, str]:
        return {} if user is None else {"Authorization": f"Bearer {self.tokens[user]}"}

    def get(self, path: str, user: str | None = "look") -> httpx.Response:
        return httpx.get(f"{self.url}{self.named(path)}", headers=self.headers(user), timeout=30)

    def shown(self, path: str, sent: str) -> httpx.Response:
        """What somebody gets who sends that token."""
        sender = {"Authorization": b"Bearer " + sent.encode()}
        return httpx.get(f"{self.url}{self.named(path)}", headers=sender, timeout=30)

    def post(self, path: str, user: str | None, **body: Any) -> httpx.Response:
        return httpx.post(f"{self.url}{self.named(path)}", headers=self.headers(user), json=body, timeout=30)

    def named(self, path: str) -> str:
        return path.replace("POINT", self.point).replace("DRILL", self.drill)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("airflow")
    folder = tmp_path_factory.mktemp("w") / "w"
    scraped = {"token": f"file:{folder / 'token'}"}
    world = make_world(folder, asset={"kind": "dataset"}, metrics=scraped)
    (folder / "token").write_text(f"{SCRAPER}\n")
    (world.source / "file").write_bytes(b"x" * 1000)
    world.runtime.backup(ASSET)
    assert world.runtime.verify(ASSET)["ok"]
    drill = world.runtime.drill(ASSET)["drill"]
    (point,) = world.runtime.points(ASSET)
    with api_server(home, world.config()) as url:
        yield Site(url, world, {user: token(url, user) for user in PASSWORDS}, point["point"], drill)


PATHS = [
    "/dr/view", f"/dr/view/assets/{ASSET}", "/dr/api", "/dr/api/overview", "/dr/api/assets", f"/dr/api/assets/{ASSET}",
    f"/dr/api/assets/{ASSET}/points", f"/dr/api/assets/{ASSET}/drills", "/dr/metrics",
    f"/dr/api/assets/{ASSET}/points/POINT", f"/dr/api/assets/{ASSET}/points/POINT/contents",
    f"/dr/api/assets/{ASSET}/drills/DRILL", f"/dr/view/assets/{ASSET}/points/POINT",
    f"/dr/view/assets/{ASSET}/drills/DRILL", "/dr/view/runbooks/region-lost",
]  # fmt: skip
ACTS = [f"dr_backup__{ASSET}", f"dr_verify__{ASSET}", f"dr_drill__{ASSET}", "dr_restore", "dr_restore_emergency"]
"""What the buttons start, through Airflow's own API."""
NO_SUCH_DAG = 404
"""Who may start it is told that this Airflow has no such DAG; who may not is not told even that."""


def test_before_the_first_look_it_says_what_to_do(site: Site):
    page = site.get("/dr/view")
    assert page.status_code == 404
    assert "there is no catalog yet" in page.text
    assert "unpause the DAG dr_freshness" in page.text
    assert site.get("/dr/api/overview").json()["error"]["what"] == "there is no catalog yet"


@pytest.mark.parametrize("path", PATHS)
def test_who_may_see_what(site: Site, path: str):
    site.world.runtime.refresh_catalog()
    found = {user: site.get(path, user).status_code for user in (None, "look", "ops", "root")}
    assert found == {None: 401, "look": 200, "ops": 200, "root": 200}


@pytest.mark.parametrize("dag", ACTS)
def test_who_may_start_what(site: Site, dag: str):
    path = f"/api/v2/dags/{dag}/dagRuns"
    found = {
        user: site.post(path, user, logical_date=None, conf={}).status_code for user in (None, "look", "ops", "root")
    }
    assert found == {None: 401, "look": 403, "ops": NO_SUCH_DAG, "root": NO_SUCH_DAG}


@pytest.mark.parametrize("path", PATHS)
def test_the_page_itself_changes_nothing_for_anybody(site: Site, path: str):
    found = {user: site.post(path, user).status_code for user in (None, "look", "root")}
    assert set(found.values()) <= {401, 405}, found


def test_a_token_of_somebody_else_or_of_nobody_opens_nothing(site: Site):
    head, claims, signature = site.tokens["look"].split(".")
    _, others, _ = site.tokens["root"].split(".")
    forged = (f"{head}.{others}.{signature}", f"{head}.{claims}.{signature[:-4]}AAAA", "none")
    for found in forged:
        answer = httpx.get(f"{site.url}/dr/api/overview", headers={"Authorization": f"Bearer {found}"}, timeout=30)
        assert answer.status_code in {401, 403}, found


@pytest.mark.parametrize("path", [*PATHS, "/api/v2/dags", "/dr/api/nothing"])
def test_the_scrapers_token_opens_the_metrics_and_nothing_else(site: Site, path: str):
    site.world.runtime.refresh_catalog()
    answer = site.shown(path, SCRAPER)
    if path == "/dr/metrics":
        assert (answer.status_code, "dr_assets{" in answer.text) == (200, True)
    else:
        assert answer.status_code in {401, 403, 404}, answer.text
        assert ASSET not in answer.text


@pytest.mark.parametrize("token", ["x", SCRAPER[:-1], f"{SCRAPER}x", SCRAPER.upper(), "a.b.c", "\xe9" * 20])
def test_another_token_than_the_scrapers_opens_no_metrics(site: Site, token: str):
    assert site.shown("/dr/metrics", token).status_code == 401


def test_every_path_but_the_metrics_asks_for_a_login(site: Site):
    described = site.get("/dr/api").json()["paths"]
    assert {"/view", "/api/overview", "/metrics"} <= set(described)
    for path in described:
        named = path.replace("{", "").replace("}", "")
        assert site.get(f"/dr{named}", None).status_code == 401, path


@pytest.mark.parametrize("text", ["short", ""])
def test_a_token_that_is_no_secret_lets_nobody_in(site: Site, text: str):
    """Who sends one is told no more than that; who may look at Airflow still sees the figures."""
    file = site.world.folder / "token"
    try:
        file.write_text(text)
        answer = site.shown("/dr/metrics", text or SCRAPER)
        assert (answer.status_code, "Airflow's API server" in answer.text) == (503, True)
        assert str(site.world.folder) not in answer.text
        assert site.get("/dr/metrics", "look").status_code == 200
        assert site.get("/dr/metrics", None).status_code == 401
    finally:
        file.write_text(SCRAPER)


def test_figures_that_are_not_there_are_no_figures(site: Site):
    """The database is gone, the configuration is broken: 503 and a reason, never an empty page that looks fine."""
    config, catalog = site.world.config(), site.world.folder / ".dr-state" / "catalog.sqlite"
    right, away = config.read_text(), catalog.with_name("away")
    site.world.runtime.refresh_catalog()
    catalog.rename(away)
    try:
        gone = site.shown("/dr/metrics", SCRAPER)
    finally:
        away.rename(catalog)
    assert (gone.status_code, "there is no catalog yet" in gone.text) == (503, True)
    try:
        config.write_text(right.replace('"kind": "dataset"', '"kind": "dateset"'))
        unsure, told = site.shown("/dr/metrics", SCRAPER), site.get("/dr/metrics")
    finally:
        config.write_text(right)
    assert (unsure.status_code, told.status_code) == (503, 503)
    assert "dateset" in told.text
    assert "dateset" not in unsure.text
    assert "Traceback" not in unsure.text + told.text
    assert site.shown("/dr/metrics", SCRAPER).status_code == 200


def test_a_point_shows_its_copies_its_files_and_the_form_to_restore_it(site: Site):
    page = site.get(f"/dr/view/assets/{ASSET}/points/POINT").text
    assert "1 files" in page
    assert 'data-dag="dr_restore"' in page
    held = site.get(f"/dr/api/assets/{ASSET}/points/POINT/contents").json()
    assert [(one["path"], one["bytes"]) for one in held["files"]] == [("file", 1000)]
    assert site.get(f"/dr/api/assets/{ASSET}/points/20200101T000000000000Z-00000000/contents").status_code == 404


def test_contents_that_no_region_can_tell_leave_the_rest_of_the_page(site: Site):
    places = list(site.world.regions.values())
    try:
        for place in places:
            place.rename(place.with_name(f"{place.name} away"))
        page = site.get(f"/dr/view/assets/{ASSET}/points/POINT")
    finally:
        for place in places:
            place.with_name(f"{place.name} away").rename(place)
    assert page.status_code == 200
    assert "They cannot be shown here" in page.text
    assert "Copies" in page.text


def test_a_drill_shows_its_evidence_and_one_that_is_not_there_a_page(site: Site):
    page = site.get(f"/dr/view/assets/{ASSET}/drills/DRILL")
    assert site.drill in page.text
    gone = site.get(f"/dr/view/assets/{ASSET}/drills/20200101T000000000000Z-00000000")
    assert gone.status_code == 404
    assert "This cannot be shown" in gone.text


def test_runbooks_are_pages_and_nothing_else_of_the_disk_is(site: Site):
    assert "<h1>" in site.get("/dr/view/runbooks/region-lost").text
    for name in ("nothing", "..%2FREADME", "%2e%2e%2fREADME", "REGION-LOST", "region-lost.md"):
        assert site.get(f"/dr/view/runbooks/{name}").status_code == 404, name


def test_what_the_catalog_says_is_what_is_shown(site: Site):
    site.world.runtime.refresh_catalog()
    assert site.get("/dr/api/overview").json()["failing"] == 1
    (one,) = site.get("/dr/api/assets").json()["assets"]
    assert (one["asset"], one["protection"]) == (ASSET, "failing")
    points = site.get(f"/dr/api/assets/{ASSET}/points").json()
    assert (len(points["points"]), points["next"]) == (1, None)
    point = points["points"][0]["point"]
    assert site.get(f"/dr/api/assets/{ASSET}/points/{point}").json() == points["points"][0]
    assert site.get(f"/dr/api/assets/{ASSET}/points/none").status_code == 404
    page = site.get("/dr/view").text
    assert "1 of 1 not protected" in page
    assert "the last drill did not prove it" in page
    assert point in site.get(f"/dr/view/assets/{ASSET}").text
    assert f'dr_protected{{asset="{ASSET}"}} 0.0\n' in site.get("/dr/metrics").text


def test_nothing_runs_but_the_pages_own_script(site: Site):
    page = site.get(f"/dr/view?search={NASTY}")
    assert NASTY not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'sha256-" in policy
    assert "unsafe-inline" not in policy.partition("style-src")[0]
    gone = site.get(f"/dr/view/assets/{NASTY}".replace("<", "%3C").replace(">", "%3E").replace("/script", "%2Fscript"))
    assert (gone.status_code, NASTY in gone.text) == (404, False)


def test_who_serves_stands_on_the_front_page_and_runs_nothing(site: Site):
    """It stays there for the browser's tests below."""
    now = utc_now()
    seen = SeenEndpoint("api", ASSET, "primary", "down", "healthy", f"{NASTY} is down", "anna/1", now)
    old = SeenEndpoint("old", ASSET, "primary", "healthy", "down", "", "", now - timedelta(days=1))
    with CatalogDb(site.world.runtime.catalog_url()).writing() as connection:
        put_endpoint(connection, seen)
        put_endpoint(connection, old)
    page = site.get("/dr/view").text
    assert NASTY not in page
    assert "anna/1" in page
    assert "nobody looked since" in page
    found = site.get("/dr/api/endpoints").json()["endpoints"]
    assert [(one["endpoint"], one["stale"], one["primary_stands"]) for one in found] == [
        ("api", False, "down"), ("old", True, "healthy"),
    ]  # fmt: skip


@pytest.mark.parametrize("query", ["offset=-1", "limit=0", "limit=501", "limit=many", "search=" + "x" * 201])
def test_values_out_of_range_are_refused(site: Site, query: str):
    assert site.get(f"/dr/api/assets?{query}").status_code == 422


def test_a_configuration_that_is_broken_or_mended_needs_no_restart(site: Site):
    config = site.world.config()
    right = config.read_text()
    try:
        config.write_text(right.replace('"kind": "dataset"', '"kind": "dateset"'))
        page = site.get("/dr/view")
        assert page.status_code == 503
        assert "This cannot be shown" in page.text
        assert "Traceback" not in page.text
        config.unlink()
        assert site.get("/dr/api/overview").json()["error"]["what"] == "there is no configuration file"
    finally:
        config.write_text(right)
    site.world.runtime.refresh_catalog()
    assert site.get("/dr/view").status_code == 200


def test_a_lost_region_makes_nothing_slow_or_empty(site: Site):
    away = site.world.folder / "away"
    site.world.regions["one"].rename(away)
    try:
        site.world.runtime.refresh_catalog()
        page = site.get("/dr/view").text
    finally:
        away.rename(site.world.regions["one"])
    assert "one does not answer" in page
    assert "not seen now" in page


def test_airflow_took_the_plugin_and_shows_it_in_its_navigation(site: Site):
    assert site.get("/api/v2/plugins/importErrors", "root").json()["total_entries"] == 0
    plugins: list[dict[str, Any]] = site.get("/api/v2/plugins", "root").json()["plugins"]
    ours = next(plugin for plugin in plugins if plugin["name"] == "disaster_recovery")
    assert [view["url_route"] for view in ours["external_views"]] == ["disaster-recovery"]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not here: bash tools/system.sh chromium")
@pytest.mark.parametrize(("user", "told"), [("look", "You may not start dr_verify__"), ("root", "Not started: ")])
def test_a_button_starts_a_run_as_who_presses_it(site: Site, user: str, told: str):
    """The viewer may not; for the administrator there is no such DAG in this Airflow, and that is said."""
    from playwright.sync_api import expect, sync_playwright

    site.world.runtime.refresh_catalog()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme="dark")
        context.add_cookies([{"name": "_token", "value": site.tokens[user], "url": site.url}])
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{site.url}/dr/view")
        page.get_by_role("link", name=ASSET).click()
        page.get_by_role("button", name="Verify").click()
        expect(page.get_by_role("status")).to_contain_text(told)
        assert page.evaluate("document.documentElement.className") == "dark"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off on a phone"
        assert complaints == []
        browser.close()


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not here: bash tools/system.sh chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [path for path in PATHS if "/view" in path and "/drills/" not in path])
def test_nobody_is_kept_out_of_the_page(site: Site, path: str, scheme: Literal["light", "dark"]):
    """axe finds nothing serious, nothing is cut off on a phone, and every button is reached with the keyboard."""
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    site.world.runtime.refresh_catalog()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=scheme)
        context.add_cookies([{"name": "_token", "value": site.tokens["look"], "url": site.url}])
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"{site.url}{site.named(path)}")
        assert complaints == []
        too_wide = """[...document.querySelectorAll("main *")].filter(one => !one.closest(".wide, svg"))
            .filter(one => one.getBoundingClientRect().right > innerWidth).map(one => one.outerHTML.slice(0, 200))"""
        assert page.evaluate(too_wide) == [], "nothing is cut off on a phone"
        found = Axe().run(page).response["violations"]
        serious = [one for one in found if one["impact"] in {"serious", "critical"}]
        assert serious == [], json.dumps(serious, indent=1)[:3000]
        wanted = page.locator("button, input:not([type=hidden]), select").evaluate_all(
            "all => all.map((one, place) => one.dataset.place = String(place))"
        )
        reached = set()
        for _ in range(page.locator("a[href], .wide").count() + len(wanted)):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.dataset.place"))
        assert set(wanted) <= reached
        browser.close()
