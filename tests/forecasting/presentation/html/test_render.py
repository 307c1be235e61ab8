"""The page as text: what it embeds stays data, what comes from outside stays text."""

import base64
import gzip
import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.presentation.html.detail import packed
from forecasting.presentation.html.render import embedded, policy, render
from tests.forecasting.presentation.html.material import HOSTILE, earlier_forecasts, forecast_of, made_up, scores_of


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
    assert "its own past errors are known for 0 weeks of the 9 it takes" in text
    assert "No forecast has been scored yet" in text
    assert "No series is on fallback, every expected store has reported, no sales were corrected" in text
    assert "nan" not in text.replace("Tropicana", "").lower().split()


def test_alarms_stand_before_the_headline() -> None:
    """An alarm is the first thing that is read."""
    content = replace(made_up(), alarms=[{"week": "1992-04-16", "sentence": "The error has doubled <since> May."}])
    html = render(content, "beside").html
    assert html.index("The error has doubled &lt;since&gt; May.") < html.index("<h1>")


def test_exceptions_come_with_their_numbers() -> None:
    """Fallbacks with the reason in words, gaps with who accepted them, corrections, and what a re-run moved."""
    content = made_up()
    table = content.report.copy()
    table.loc[(table["kind"] == "forecast") & (table["store"] == 1) & (table["product"] == 2), "reason"] = "timed_out"
    cells = content.forecast[["store", "product", "week"]]
    content = replace(
        content,
        report=table,
        replaced=forecast_of(cells, content.cutoff, units=90.0),
        corrections=content.actual.tail(1)[["store", "product", "week"]].assign(units_before=5, units_after=1005),
        record=dict(content.record) | {
            "completeness": {
                "expected": [1, 2, 3], "received": [1], "missing": [2], "incomplete": {"3": "product 2"},
                "status": "accepted with gaps", "accepted": {"by": "Ada", "why": "a <flood>", "when": ""},
            }
        },
    )  # fmt: skip
    text = " ".join("".join(Seen(render(content, "beside").html).text).split())
    assert "the model took longer than it may" in text
    assert "2 of 3 expected stores: 2, 3 (lacks product 2). The week is accepted by Ada: a <flood>." in text
    assert "+1,000" in text
    assert "12 numbers of 12 changed by half a carton or more: 1,080 cartons before, 1,200 now" in text


def test_the_packed_series_are_the_reports() -> None:
    """What the explorer and the order table show is the table `report`, number for number."""
    content = made_up()
    content = replace(content, earlier=earlier_forecasts(content, 5))
    html = render(content, "beside").html
    data = data_of(html)
    orders, part = (unpacked(re.findall(f'id="{name}">(.*?)</script>', html)[0]) for name in ("orders-data", "part"))
    place = [*zip(data["store"], data["product"], strict=True)].index((2, 1))
    rows = content.report[(content.report["store"] == 2) & (content.report["product"] == 1)]
    assert part["sold"][place] == rows.loc[rows["kind"] == "actual", "units"].astype(int).tolist()
    assert part["price"][place] == (rows["price"] * 100).round().astype(int).tolist()
    assert part["promoted"][place] == [3 if deal else 0 for deal in rows["deal"]]
    assert part["expected"][place] == [[1000, 800, 1200, 700, 1300]] * 2
    assert data["since"] == data["cutoff"] - 4
    assert part["was"][place] == [[1000, 800, 1200, 700, 1300]] * 5
    assert orders["expected"][place] == [10_000, 10_000]


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
    content = made_up()
    earlier = earlier_forecasts(content, 10)
    content = replace(content, earlier=earlier, scores=scores_of(earlier, content.actual))
    html = render(content, "beside").html
    scores = data_of(html)["accuracy"]
    assert len(scores) == 10
    assert 0 < sum(week["wape"] for week in scores) < sum(week["naive"] for week in scores)
    assert "1 week ahead" in html


def test_the_policy_lets_nothing_run_but_these_scripts() -> None:
    """Hashes only; other scripts may be loaded only where the page has files beside it."""
    whole = policy(["a"], "b", loads_files=False)
    assert whole.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in whole
    assert "strict-dynamic" not in whole
