"""The page as text: what it embeds stays data, what comes from outside stays text."""

import base64
import gzip
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from forecasting.cli import app
from forecasting.contracts.errors import DataError
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.completeness import Acceptance, Incomplete, WeekStatus
from forecasting.presentation.html.detail import packed
from forecasting.presentation.html.render import embedded, policy, render, write_page
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.material import (
    HOSTILE,
    WEEK,
    alarm_of,
    earlier_forecasts,
    forecast_of,
    ingest_of,
    made_up,
    scores_of,
)


class Seen(HTMLParser):
    """Elements, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def data_of(html: str) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, flags=re.DOTALL)
    content: dict[str, Any] = json.loads(text)
    return content


def unpacked(text: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(text)))
    return content


@settings(max_examples=200)
@given(st.text())
def test_embedded_strings_come_back_and_never_end_their_script(text: str) -> None:
    """Whatever the string: no angle bracket, ampersand or line separator stands in the page, and JSON gives it back."""
    written = embedded({"name": text})
    assert not set(written) & set("<>&\u2028\u2029")
    assert json.loads(written) == {"name": text}


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_know_is_refused(number: float) -> None:
    """The browser would read nothing of the whole page."""
    for write in (embedded, packed):
        with pytest.raises(ValueError, match="not JSON compliant"):
            write({"weeks": [number]})


def test_hostile_names_add_no_element_and_no_attribute() -> None:
    """The page of 25 hostile products and 25 hostile stores has the elements of one with tame names, one for one."""
    tame = render(made_up(25, 25, weeks=3, names=[f"name {number}" for number in range(50)]), "beside").html
    evil = render(made_up(25, 25, weeks=3, names=HOSTILE * 2), "beside").html
    shape = [(tag, sorted(attributes)) for tag, attributes in Seen(evil).tags]
    assert shape == [(tag, sorted(attributes)) for tag, attributes in Seen(tame).tags]
    for name in HOSTILE:
        assert name in unescape(evil)


def test_a_first_week_has_a_good_page() -> None:
    """Nothing matured, nothing missed: the page says so, and names what it takes for the total's interval."""
    html = render(made_up(), "beside").html
    text = " ".join("".join(Seen(html).text).split())
    assert "600 cartons are expected in the week of 23 April 1992" in text
    assert "it needs the errors of 9 past weeks and has those of 0 weeks" in text
    assert "No forecast has been scored yet" in text
    assert "No series is on fallback, every expected store has reported, no sales were corrected" in text
    assert "nan" not in text.replace("Tropicana", "").lower().split()


def test_alarms_stand_before_the_headline() -> None:
    """An alarm is the first thing that is read."""
    week = replace(made_up(), alarms=[alarm_of("The error has doubled <since> May.")])
    html = render(week, "beside").html
    assert html.index("The error has doubled &lt;since&gt; May.") < html.index("<h1>")


def test_exceptions_come_with_their_numbers() -> None:
    """Fallbacks with the reason in words, gaps with who accepted them, corrections, and the revision."""
    week = made_up()
    table = week.report.copy()
    table.loc[(table["kind"] == "forecast") & (table["store"] == 1) & (table["product"] == 2), "reason"] = "timed_out"
    cells = week.forecast[["store", "product", "week"]]
    week = replace(
        week,
        report=table,
        replaced=forecast_of(cells, week.cutoff, units=90.0),
        corrections=week.actual.tail(1)[["store", "product", "week"]].assign(units_before=5, units_after=1005),
        completeness=replace(
            ingest_of().completeness,
            received=(1,),
            missing=(2,),
            incomplete=(Incomplete(3, (2,)),),
            status=WeekStatus.ACCEPTED_WITH_GAPS,
            accepted=Acceptance("Ada", "a <flood>", datetime(1992, 4, 24, tzinfo=UTC)),
        ),
    )
    text = " ".join("".join(Seen(render(week, "beside").html).text).split())
    assert "the model took longer than its timeout" in text
    assert "2 of 3 expected stores: store 2, store 3 lacks brand 2. The week is accepted by Ada: a <flood>." in text
    assert "+1,000" in text
    assert "6 series by more than one carton; in all 1,080 → 1,200" in text


def test_the_packed_series_are_the_reports() -> None:
    """What the explorer and the order table show is the table `report`, number for number."""
    week = made_up()
    week = replace(week, earlier=earlier_forecasts(week, 5))
    html = render(week, "beside").html
    data = data_of(html)
    orders, part = (unpacked(re.findall(f'id="{name}">(.*?)</script>', html)[0]) for name in ("orders-data", "part"))
    place = [*zip(data["store"], data["product"], strict=True)].index((1, 0))
    rows = week.report[(week.report["store"] == 2) & (week.report["product"] == 1)]
    assert part["sold"][place] == rows.loc[rows["kind"] == "actual", "units"].astype(int).tolist()
    assert part["price"][place] == (rows["price"] * 100).round().astype(int).tolist()
    assert part["promoted"][place] == [3 if deal else 0 for deal in rows["deal"]]
    assert part["expected"][place] == [[1000, 800, 1200, 700, 1300]] * 2
    assert data["since"] == data["cutoff"] - 4
    assert part["before"][place] == [[1000, 800, 1200, 700, 1300]] * 5
    assert orders["expected"][place] == [100.0, 100.0]


def test_many_series_stand_beside_the_page() -> None:
    """Above two thousand series the page carries the sums and the orders; histories lie in files of 500 series."""
    page = render(made_up(stores=201, products=10, weeks=3), "1992-04-16")
    data = data_of(page.html)
    assert len(data["store"]) == 2010
    assert data["beside"] == [f"1992-04-16/{name}" for name in page.beside]
    assert len(page.beside) == 5
    number, packed = re.fullmatch(r'ojPart\((\d+),"([A-Za-z0-9+/=]+)"\)', [*page.beside.values()][4]).groups()  # type: ignore[union-attr]
    assert (number, len(unpacked(packed)["sold"])) == ("4", 10)
    assert "'strict-dynamic'" in unescape(page.html)


def test_scores_stand_beside_the_naive_forecast() -> None:
    """Week by week for the chart, pooled for the tables."""
    week = made_up()
    earlier = earlier_forecasts(week, 10)
    week = replace(week, earlier=earlier, scores=scores_of(earlier, week.actual))
    html = render(week, "beside").html
    scores = data_of(html)["accuracy"]
    assert len(scores) == 10
    assert 0 < sum(each["wape"] for each in scores) < sum(each["naive"] for each in scores)
    assert "1 week ahead" in html


def test_the_policy_lets_nothing_run_but_these_scripts() -> None:
    """Hashes only; other scripts may be loaded only where the page has files beside it."""
    whole = policy(["a"], "b", loads_files=False)
    assert whole.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in whole
    assert "strict-dynamic" not in whole


def test_the_words_of_the_panel_are_on_the_page() -> None:
    """The labels of the promotions, the units and the currency come from the panel definition."""
    panel = replace(ORANGE_JUICE, units="<b>bags</b>", currency="€")
    html = render(replace(made_up(), panel=panel), "beside").html
    data = data_of(html)
    assert (data["units"], data["currency"]) == ("<b>bags</b>", "€")
    assert data["promotions"] == [each.label for each in ORANGE_JUICE.promotions]
    text = " ".join("".join(Seen(html).text).split())
    assert "600 <b>bags</b> are expected" in text
    assert "<b>" not in html
    assert "cartons" not in text


def test_a_week_without_forecast_has_no_page(page_lake: Lake) -> None:
    """The error names the newest that there is, and how to make the missing one."""
    with pytest.raises(DataError, match="No forecast is published for the week of 1992-05-07.*newest is 1992-04-16"):
        write_page(page_lake, date(1992, 5, 7))
    with pytest.raises(DataError, match="has no published forecast; make one first: oj run"):
        Lake(page_lake.root / "elsewhere").forecasts.newest()


def test_oj_report_prints_where_the_page_is(page_lake: Lake) -> None:
    """The newest week, where none is named; what is wrong ends in one sentence."""
    done = CliRunner().invoke(app, ["report", "--lake", str(page_lake.root)])
    assert done.exit_code == 0, done.output
    assert "Report: " in done.output
    assert "1992-04-16.html" in done.output.replace("\n", "")
    wrong = CliRunner().invoke(app, ["report", "--lake", str(page_lake.root), "--cutoff", "1992-05-07"])
    assert wrong.exit_code == 1


def test_the_parts_of_a_page_go_with_it(page_lake: Lake) -> None:
    """A page that needs fewer parts than the one before it leaves none of the old ones."""
    folder = Path(page_lake.reports.page_path(WEEK)).with_suffix("")
    folder.mkdir(parents=True)
    (folder / "000-old.js").write_text("")
    write_page(page_lake, WEEK)
    assert list(folder.iterdir()) == []
