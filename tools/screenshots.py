"""Pictures of the running demo for the README, from the real web interface: `make screenshots` after `make demo`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from dr_lib.demo.start_up import login
from dr_lib.demo.workspace import Workspace

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "images"
PAGES = {
    "dags": "/dags",
    "backup": "/dags/dr_backup__minilm",
    "drill": "/dags/dr_drill__minilm",
}
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
        chromium.close()
    return 0


def _sign_in(page: Page, url: str, user: str, password: str) -> None:
    page.goto(url)
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "login" not in address)


if __name__ == "__main__":
    sys.exit(main())
