"""The report as somebody sees it who opens the file: in a real browser, offline."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from forecasting.presentation.html import render
from forecasting.presentation.week import WeekView
from forecasting.storage.lake import Lake
from tests.browser import headless_chromium
from tests.forecasting.presentation.material import CUTOFF, HOSTILE, alarm_of, earlier_forecasts, made_up, scores_of

SCREENSHOTS = Path(os.environ.get("OJ_SCREENSHOTS", Path(__file__).parents[4] / "build" / "screenshots"))

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def browser(needs_system: Callable[[str], None]) -> Iterator[Browser]:
    """A headless Chromium, or a reason to skip."""
    with headless_chromium(needs_system) as chromium:
        yield chromium


class Tab:
    """A page of the browser that is offline, with what its console said and what it asked for."""

    def __init__(self, browser: Browser, width: int = 1280, **looks: str) -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, **looks)  # type: ignore[arg-type]
        self.page: Page = context.new_page()
        self.page.set_default_timeout(30_000)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, file: Path) -> Page:
        self.page.goto(file.as_uri())
        # Not wait_for_function: it evaluates strings in the page, which the policy forbids.
        self.page.locator("html[data-ready=yes]").wait_for(state="attached")
        return self.page

    def keep(self, name: str) -> None:
        """Keep what is seen, for people to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def require_quiet(self, *files: Path) -> None:
        """Nothing was said on the console, and nothing was asked for but these files."""
        assert self.said == []
        assert self.asked == [file.as_uri() for file in files]


@pytest.fixture
def open_in(browser: Browser) -> Callable[..., Tab]:
    """Open pages in the browser."""
    return lambda *args, **kwargs: Tab(browser, *args, **kwargs)


def full_of_history(week: WeekView) -> WeekView:
    earlier = earlier_forecasts(week, 12)
    return replace(week, earlier=earlier, scores=scores_of(earlier, week.actual))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a lake with 25 hostile products and 25 hostile stores."""
    week = full_of_history(made_up(25, 25, weeks=20, names=HOSTILE * 2))
    week = replace(week, alarms=[alarm_of("The error has doubled since March.")])
    lake = Lake(tmp_path_factory.mktemp("hostile"))
    return Path(lake.reports.write_page(CUTOFF.date(), render(week, "1992-04-16")))


def test_fifty_hostile_names_stay_text(hostile: Path, open_in: Callable[..., Tab]) -> None:
    """Each is read in choices, sentences and tables, and none does anything: no element, no word, no request."""
    tab = open_in()
    page = tab.open(hostile)
    for number, name in enumerate(HOSTILE, start=1):
        page.select_option("#store", index=number - 1)
        page.select_option("#product", index=number - 1)
        expect(page.locator("#series-sentence")).to_contain_text(name.strip("\u2028\u2029"))
    shown = page.locator("#store option").all_text_contents()
    assert [text.strip() for text in shown] == [name.strip() for name in HOSTILE]
    page.locator("#series-chart svg").hover()
    page.select_option("#order-week", "")
    expect(page.locator("#order-sentence")).to_contain_text("1,250 rows")
    for element in ("img", "iframe", "base", "form[action]", "a[href^='javascript']", "svg[onload]", "[onmouseover]"):
        assert page.locator(element).count() == 0, element
    assert page.evaluate("window.hacked") is None
    tab.require_quiet(hostile)
    tab.keep("report-hostile")


def test_units_with_decimals_are_shown_with_three_digits(tmp_path: Path, open_in: Callable[..., Tab]) -> None:
    """A forecast of 0.37 kg is not 0, and returns may make a week negative; text and scripts round alike."""
    week = full_of_history(made_up())
    panel = replace(week.panel, whole_units=False, negative_units=True, units="kg")
    units = ["units", "lo_80", "hi_80", "lo_95", "hi_95"]
    report = week.report.assign(**{name: week.report[name] * 0.0037 for name in units})
    newest = (report["kind"] == "actual") & (report["week"] == week.cutoff)
    report.loc[newest, "units"] = -0.5
    week = replace(week, panel=panel, report=report, replaced=week.replaced)
    tab = open_in()
    page = tab.open(Path(Lake(tmp_path).reports.write_page(CUTOFF.date(), render(week, "1992-04-16"))))
    expect(page.locator("h1")).to_contain_text("2.22 kg are expected")
    expect(page.locator("#series-sentence")).to_contain_text("0.37 kg are expected")
    expect(page.locator("#series-table")).to_contain_text("0.30–0.44")
    expect(page.locator("#series-table")).to_contain_text("-0.50")
    expect(page.locator("#order-table tbody tr").first).to_contain_text("0.37")
    expect(page.locator("#order-sentence")).to_contain_text("2.22 kg in sum")


def test_choosing_a_series_changes_chart_table_and_sentence(tmp_path: Path, open_in: Callable[..., Tab]) -> None:
    """By keyboard alone; another span shows other weeks; what can be reached by Tab is in the order of the page."""
    page_file = Lake(tmp_path).reports.write_page(CUTOFF.date(), render(full_of_history(made_up()), "1992-04-16"))
    tab = open_in()
    page = tab.open(Path(page_file))

    def drawn() -> str:
        return page.locator("#series-chart svg").inner_html()

    def require_change(before: str) -> None:
        until = time.monotonic() + 20
        while drawn() == before:
            assert time.monotonic() < until
            time.sleep(0.05)

    page.select_option("#store", index=0)
    page.select_option("#product", index=0)
    expect(page.locator("#series-sentence")).to_contain_text("Product 1 in store 1")
    page.locator("#store").focus()
    for key, expected in (("ArrowDown", "Product 1 in store 2"), ("Tab", ""), ("ArrowDown", "Product 2 in store 2")):
        before = drawn()
        page.keyboard.press(key)
        if expected:
            expect(page.locator("#series-sentence")).to_contain_text(expected)
            page.wait_for_function(
                "before => document.querySelector('#series-chart svg').innerHTML !== before", arg=before
            )
    before = drawn()
    page.select_option("#span", "0")
    require_change(before)
    expect(page.locator("#series-table tbody tr")).to_have_count(12)

    page.locator("#series-chart path[fill='var(--expected)']").last.hover(force=True)
    expect(page.locator("#vg-tooltip-element")).to_contain_text("30 Apr 1992")

    page.select_option("#order-store", label="2")
    expect(page.locator("#order-table tbody tr")).to_have_count(2)
    page.locator("#order-table th", has_text="brand").press("Enter")
    first = page.locator("#order-table tbody tr").first
    names = [first.locator("td").nth(1).text_content()]
    page.locator("#order-table th", has_text="brand").press("Enter")
    names.append(first.locator("td").nth(1).text_content())
    assert sorted(names) == ["Product 1", "Product 2"]  # type: ignore[type-var]
    tab.require_quiet(Path(page_file))


def test_it_can_be_read_on_a_phone_in_the_dark_and_on_paper(tmp_path: Path, open_in: Callable[..., Tab]) -> None:
    """Nothing but tables is wider than the screen, at 390 pixels as at twice the zoom; charts take on the ink."""
    week = full_of_history(made_up(6, 8, weeks=60))
    page_file = Lake(tmp_path).reports.write_page(CUTOFF.date(), render(week, "1992-04-16"))
    for name, width, looks in (("phone", 390, "light"), ("desktop", 1280, "light"), ("dark", 640, "dark")):
        tab = open_in(width, color_scheme=looks)
        page = tab.open(Path(page_file))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".chart svg").count() == 4 + 8
        tab.require_quiet(Path(page_file))
        tab.keep(f"report-{name}")
    label = page.locator("#total-chart svg text").first
    assert label.evaluate("text => getComputedStyle(text).fill") == "rgb(163, 171, 179)"
    page.emulate_media(media="print")
    assert label.evaluate("text => getComputedStyle(text).fill") == "rgb(68, 68, 68)"


def test_a_big_page_loads_the_series_that_is_asked_for(tmp_path: Path, open_in: Callable[..., Tab]) -> None:
    """From a file beside it, and no other; a sentence names one that is gone."""
    page_file = Lake(tmp_path).reports.write_page(CUTOFF.date(), render(made_up(201, 10, weeks=3), "1992-04-16"))
    parts = sorted((tmp_path / "report" / "1992-04-16").iterdir())
    assert len(parts) == 5
    parts[2].unlink()
    tab = open_in()
    page = tab.open(Path(page_file))
    page.select_option("#product", index=2)
    page.select_option("#store", label="201")
    expect(page.locator("#series-sentence")).to_contain_text("Product 3 in store 201: 100 cartons are expected")
    assert parts[4].as_uri() in tab.asked
    assert not {parts[0].as_uri(), parts[1].as_uri()} & {*tab.asked}
    assert tab.said == []
    page.select_option("#store", label="101")
    expect(page.locator("#error")).to_contain_text("is not beside this page: keep its folder with it")
