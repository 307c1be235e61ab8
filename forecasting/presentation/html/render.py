"""One HTML page: its template filled, its data embedded as data, and a policy under which nothing else runs."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from forecasting.core.report import expectation
from forecasting.presentation.html import accuracy, totals, words
from forecasting.presentation.html import exceptions as decisions
from forecasting.presentation.html import record as record
from forecasting.presentation.html.content import Content
from forecasting.presentation.html.detail import pack_detail

SCRIPTS = ("vega.js", "tablesort.js", "charts.js", "report.js")


@dataclass(frozen=True)
class Page:
    """A page: its text, and the files that stand beside it in its folder, by name."""

    html: str
    beside: dict[str, str]


def render(content: Content, folder: str) -> Page:
    """The page of one cutoff.

    Args:
        folder: where the files beside it will stand, relative to it; a name of ours.
    """
    detail = pack_detail(content)
    expected = totals.expected_totals(content)
    found = decisions.exception_lists(content)
    products = totals.product_rows(content)
    weekly = accuracy.weekly(content)
    beside: dict[str, str] = {}
    if detail.is_beside:
        beside = {detail.part_name(number): f'ojPart({number},"{part}")' for number, part in enumerate(detail.parts)}
    data = {
        **detail.index,
        "storeNames": content.store_names,
        "productNames": content.product_names,
        "total": totals.total_rows(content, expected),
        "products": [{"product": each["product"], "weeks": each["weeks"]} for each in products],
        "accuracy": weekly,
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
        content=content,
        expectation=expectation(content.report),
        totals=expected,
        totals_sold=totals.past_totals(content),
        alarms=content.alarms,
        found=found,
        quiet=decisions.quiet(content, found),
        products=products,
        most_products=totals.MOST_PRODUCTS,
        all_products=len(content.product_names),
        stores=content.store_names,
        weekly=weekly,
        overall=accuracy.overall(content),
        by_product=accuracy.by_product(content),
        recent_scores=accuracy.RECENT,
        needed=totals.WEEKS_FOR_AN_INTERVAL,
        facts=record.facts(content),
        words=words,
    )  # fmt: skip
    return Page(html, beside)


def policy(scripts: Iterable[str], style: str, *, loads_files: bool) -> str:
    """The content security policy: these scripts and this style by their hashes, no address, nothing evaluated.

    Args:
        loads_files: whether those scripts may load others, which stand beside the page.
    """
    hashes = " ".join(_hash(script) for script in scripts)
    trust = " 'strict-dynamic'" if loads_files else ""
    return (
        f"default-src 'none'; script-src {hashes}{trust}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )


def embedded(values: dict[str, Any]) -> str:
    """Plain values as JSON that stays data within a script element, whatever the strings in it say.

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
    """A script or style of the page, as the browser reads it: its hash must not depend on line ends."""
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
