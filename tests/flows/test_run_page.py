"""What somebody sees of a run who has never seen the code: the pages of a real server in a real browser."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from forecasting.storage.lake import Lake
from tests.browser import headless_chromium
from tests.ports import free_port

EVIL = "**Evil** <img src=x onerror=alert(1)> | [x](http://evil.example) www.evil.example"
# What each artifact shows once it is drawn.
SHOWN = {
    "completeness": "82 of 83 expected stores have reported",
    "outcome": "the model raised an error",
    "fallbacks": "**Evil** <img src=x onerror=alert(1)> |",
    "headline": "cartons are expected in the week of 23 April 1992",
    "results": "1,826 rows, one per store, brand and week",
    "lineage": "files that were sent",
    "record": "cluster up and down",
    "cluster": "no worker is left",
    "partitions": "100%",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prefect server with its pages, on a free port and with a home of its own."""
    home = tmp_path_factory.mktemp("server")
    port = free_port()
    settings = {
        "PREFECT_HOME": str(home),
        "PREFECT_UI_STATIC_DIRECTORY": str(home / "pages"),
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | settings
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _await_health(f"http://127.0.0.1:{port}/api/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def _await_health(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 100
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 - our own server
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the Prefect server did not start")


@pytest.fixture(scope="module")
def ran(server: str, simulated_lake_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The server after one run of `oj run`: a product has a hostile name, and one of its series fails."""
    lake = Lake(tmp_path_factory.mktemp("ran") / "lake")
    shutil.copytree(simulated_lake_template, lake.root)
    products = lake.reference.products()
    products.loc[products["product"] == 5, "name"] = EVIL
    lake.reference.write(lake.reference.stores(), products)
    root = str(Path(__file__).parents[2])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {"PREFECT_API_URL": f"{server}/api", "PYTHONPATH": root, "PREFECT_HOME": str(lake.root / "home")}
    command = [sys.executable, "-m", "deployments", "run", "--lake", str(lake.root)]
    command += ["--model", "tests.picky_model:picky", "--max-concurrency-per-instance", "1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # What a run's page shows is not for the terminal.
    assert done.stderr == ""
    assert "Collected: 82" not in done.stdout
    return server


@pytest.fixture(scope="module")
def page(needs_system: Callable[[str], None]) -> Iterator[Page]:
    """A page of a browser, or a reason to skip."""
    with headless_chromium(needs_system) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        yield page


def _keep(page: Page, name: str) -> None:
    """Keep what is seen, for people to look at, where they ask for it."""
    if folder := os.environ.get("OJ_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_the_pages_of_a_run_show_what_it_did(ran: str, page: Page) -> None:
    """Name, stages, log and artifacts, each as a reader sees it; a hostile name is text, and loads nothing."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{ran}/runs")
    page.get_by_text("week of 1992-04-16").first.click()
    expect(page.get_by_text("week of 1992-04-16").first).to_be_visible()
    for line in (
        "Collected: 82 of 83 expected stores have reported: closed with gaps.",
        "Gaps: store 90.",
        "was the first to warn: RuntimeWarning: there is dust on the shelf",
        "(store 2 product 5) raised: ZeroDivisionError()",
        "Store 2 product 5 failed (raised) and gets a fallback",
    ):
        expect(page.get_by_text(line)).to_be_visible()
    _keep(page, "run")
    page.get_by_text("Task Runs", exact=True).click()
    for stage in ("collect", "validate", "admit", "prepare", "forecast", "publish", "report"):
        expect(page.get_by_text(stage, exact=True).first).to_be_visible()
    _keep(page, "stages")
    page.get_by_text("Artifacts", exact=True).click()
    expect(page.get_by_role("link", name="completeness", exact=False).first).to_be_visible()
    page.mouse.move(700, 800)
    page.mouse.wheel(0, 2000)  # the artifacts of the stages are loaded once they come into sight
    addresses = {}
    for key in SHOWN:
        link = page.get_by_role("link", name=key, exact=False).first
        expect(link).to_be_visible()
        addresses[key] = str(link.get_attribute("href"))
    _keep(page, "artifacts")
    for key, address in addresses.items():
        page.goto(ran + address)
        expect(page.get_by_text(SHOWN[key]).first).to_be_visible()
        assert page.locator("img[src='x']").count() == 0
        assert page.locator("a[href*='evil']").count() == 0
        if key == "headline":
            assert page.locator("img[src^='data:image/png']").evaluate("image => image.naturalWidth") > 500
        _keep(page, f"artifact-{key}")
    assert all(address.startswith((ran, "data:", "blob:")) for address in asked), asked
