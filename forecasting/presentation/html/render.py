"""One HTML page: its template filled, its data embedded as data, and a policy under which nothing else runs."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from forecasting.contracts.errors import DataError
from forecasting.contracts.run_record import RunRecord
from forecasting.presentation import words
from forecasting.presentation.exceptions import exception_lists, none_of
from forecasting.presentation.highlights import point_warning
from forecasting.presentation.html import figures
from forecasting.presentation.html.detail import pack_detail
from forecasting.presentation.week import WeekView, week_view
from forecasting.storage.lake import Lake
from forecasting.storage.location import Location
from forecasting.storage.reports import Page

SCRIPTS = ("vega.js", "tablesort.js", "charts.js", "report.js")


def write_page(lake: Lake, cutoff: date, record: RunRecord | None = None) -> Location:
    """Write the page of a published cutoff, and return its path.

    Args:
        record: of the run that is under way, where there is one; else the lake's record of the run that published.

    Raises:
        DataError: nothing is published for that cutoff.
    """
    if not lake.forecasts.path(cutoff).exists():
        newest = lake.forecasts.newest()
        raise DataError(
            f"No forecast is published for the week of {cutoff}",
            f"name another with --cutoff (the newest is {newest}), or make it: oj run --cutoff {cutoff}",
        )
    return lake.reports.write_page(cutoff, render(week_view(lake, cutoff, record), str(cutoff)))


def render(week: WeekView, folder: str) -> Page:
    """Return the page of one cutoff.

    Args:
        folder: where the files beside it will stand, relative to it; a name from this code.
    """
    detail = pack_detail(week)
    expected = figures.expected_totals(week)
    exceptions = exception_lists(week)
    products = figures.product_charts(week)
    weekly = figures.weekly_scores(week)
    beside: dict[str, str] = {}
    if detail.is_beside:
        beside = {detail.part_name(number): f'ojPart({number},"{part}")' for number, part in enumerate(detail.parts)}
    stores_at, products_at = (
        {key: place for place, key in enumerate(names)} for names in (week.store_names, week.product_names)
    )
    data = {
        **asdict(detail.index),
        "stores": [*week.store_names.values()],
        "products": [*week.product_names.values()],
        "storeWord": week.panel.store.word,
        "units": week.panel.units,
        "wholeUnits": week.panel.whole_units,
        "currency": week.panel.currency,
        "promotions": [each.label for each in week.panel.promotions],
        "total": [asdict(point) for point in figures.total_chart(week, expected)],
        "charts": [
            {"place": products_at[each.product], "weeks": [asdict(point) for point in each.weeks]} for each in products
        ],
        "accuracy": [asdict(each) for each in weekly],
        "size": detail.size,
        "beside": [f"{folder}/{name}" for name in beside],
    }
    scripts = {name: _asset(name) for name in SCRIPTS}
    style = _asset("report.css")
    html = _environment().get_template("report.html.j2").render(
        policy=policy(scripts.values(), style, loads_files=detail.is_beside),
        style=style,
        scripts=scripts,
        data=embedded(data),
        orders=detail.orders,
        part="" if detail.is_beside else detail.parts[0],
        week=week,
        units=week.panel.units,
        store=week.panel.store.word,
        product=week.panel.product.word,
        price=next((each.label for each in week.panel.of_role("price")), "price"),
        headline=week.headline,
        point_warning=point_warning(week.point),
        totals=expected,
        past_totals=figures.past_totals(week).sort_values("week", ascending=False).drop_duplicates("week"),
        exceptions=exceptions,
        none_of=none_of(week, exceptions),
        stores_at=stores_at,
        products_at=products_at,
        products=products,
        most_products=figures.MOST_PRODUCTS,
        weekly=weekly,
        by_step=figures.scores_by_step(week),
        by_product=figures.scores_by_product(week),
        weeks_scored=figures.WEEKS_SCORED,
        weeks_needed=figures.WEEKS_FOR_AN_INTERVAL,
        metrics=[*words.metric_columns()],
        words=words,
    )  # fmt: skip
    return Page(html, beside)


def policy(scripts: Iterable[str], style: str, *, loads_files: bool) -> str:
    """Return the content security policy: these scripts and this style by their hashes, no address, nothing evaluated.

    Args:
        loads_files: whether those scripts may load others, which stand beside the page.
    """
    hashes = " ".join(_hash(script) for script in scripts)
    trust = " 'strict-dynamic'" if loads_files else ""
    return (
        f"default-src 'none'; script-src {hashes}{trust}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )


def embedded(values: object) -> str:
    """Return plain values as JSON that stays data within a script element, whatever the strings in it say.

    Raises:
        ValueError: a number is not finite; a browser could read nothing of the page.
    """
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _asset(name: str) -> str:
    """Return a script or style of the page, as the browser reads it: its hash must not depend on line ends."""
    return (
        files("forecasting.presentation.html")
        .joinpath("assets", name)
        .read_text(encoding="utf-8")
        .replace("\r\n", "\n")
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("forecasting.presentation.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
