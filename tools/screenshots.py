"""Pictures of the running demo for the README: its web interface, and the evidence of its newest drill.

`make screenshots` after `make demo`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from dr_lib.demo.start_up import login, runtime_of
from dr_lib.demo.workspace import Workspace

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "images"
PAGES = {
    "dags": "/dags",
    "backup": "/dags/dr_backup__minilm",
    "drill": "/dags/dr_drill__minilm",
    "page": "/plugin/disaster-recovery",
}
ASSET = "minilm"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def main() -> int:
    """Take one picture a page; 2 when there is no browser."""
    browser = shutil.which("chromium")
    if browser is None:
        print("screenshots: no chromium here; `make screenshots` brings it", file=sys.stderr)
        return 2
    access = login(Workspace.default())
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=QUIET)
        page = chromium.new_page(viewport={"width": 1280, "height": 800}, device_scale_factor=1)
        _sign_in(page, access["url"], access["user"], access["password"])
        for name, path in PAGES.items():
            page.goto(f"{access['url']}{path}")
            page.wait_for_load_state("networkidle")
            page.screenshot(path=PICTURES / f"{name}.png")
        _picture_evidence(chromium)
        chromium.close()
    return 0


def _picture_evidence(chromium: Browser) -> None:
    """The page of the newest drill, as it opens without network; the clock of its making is all that differs."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "evidence.html"
        runtime_of(Workspace.default()).render_evidence(ASSET, html=file)
        context = chromium.new_context(offline=True, viewport={"width": 900, "height": 1040})
        page = context.new_page()
        page.goto(file.as_uri())
        page.screenshot(path=PICTURES / "evidence.png")


def _sign_in(page: Page, url: str, user: str, password: str) -> None:
    page.goto(url)
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "login" not in address)


if __name__ == "__main__":
    sys.exit(main())
