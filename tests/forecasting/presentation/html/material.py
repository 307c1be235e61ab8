"""What pages are made of in tests: small made-up weeks, with hostile names where asked for."""

from typing import Any

import numpy as np
import pandas as pd

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.report import report_table
from forecasting.presentation.html import Content

CUTOFF = pd.Timestamp("1992-04-16")
HOSTILE = [
    "<script>window.hacked=1</script>",
    "</script><script>window.hacked=1</script>",
    '"><img src=x onerror="window.hacked=1">',
    "<svg onload=window.hacked=1>",
    "' onmouseover='window.hacked=1",
    "<!--<script>",
    "--></script><b>bold</b>",
    "{{ 7 * 7 }}{% raw %}",
    "${window.hacked=1}",
    "datum.t > 0 ? (window.hacked=1) : 0",
    '=HYPERLINK("http://evil.example","x")',
    "@SUM(1+1)|cmd",
    "javascript:window.hacked=1",
    "<a href=javascript:window.hacked=1>click</a>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'>",
    "</style><style>body{display:none}</style>",
    "</title></head><meta http-equiv=refresh content='0;url=http://evil.example'>",
    "<base href=http://evil.example>",
    "<form action=http://evil.example><input autofocus onfocus=window.hacked=1>",
    "&lt;script&gt;window.hacked=1&lt;/script&gt;",
    "__proto__",
    "constructor",
    "\u2028window.hacked=1\u2029",
    "]]><script>window.hacked=1</script>",
    "\\u003cscript\\u003ewindow.hacked=1\\u003c/script\\u003e",
]


def made_up(stores: int = 3, products: int = 2, weeks: int = 30, *, names: list[str] | None = None) -> Content:
    """A first week: nothing has matured, nothing is wrong. `names`: of the products, then of the stores."""
    names = names or [f"Product {product}" for product in range(1, products + 1)]
    random = np.random.default_rng(1)
    history = pd.date_range(CUTOFF - pd.Timedelta(weeks=weeks - 1), CUTOFF, freq="7D")
    ahead = pd.date_range(CUTOFF + pd.Timedelta(weeks=1), periods=2, freq="7D")
    cells = pd.MultiIndex.from_product(
        [range(1, stores + 1), range(1, products + 1), [*history, *ahead]], names=schemas.CELL
    ).to_frame(index=False)
    promotions = cells.assign(price=2.49, deal=0, feat=0.0)
    promotions.loc[random.random(len(cells)) < 0.1, ["price", "deal", "feat"]] = [1.99, 1, 1.0]
    past = cells["week"] <= CUTOFF
    sales = cells[past].assign(units=random.poisson(100, past.sum()))
    table = report_table(
        schemas.SALES.cast(sales),
        orange_juice.PROMOTIONS.cast(promotions),
        forecast_of(cells[~past], CUTOFF),
        pd.DataFrame({"product": range(1, products + 1), "name": names[:products]}),
        ORANGE_JUICE,
    )
    store_names = names[products : products + stores]
    return Content(
        report=table,
        earlier=schemas.FORECAST.empty(),
        scores=schemas.SCORES.empty(),
        alarms=[],
        corrections=schemas.CORRECTIONS.empty(),
        replaced=schemas.FORECAST.empty(),
        published={"run_id": "0123456789abcdef", "point": "median"},
        record=record(),
        products=pd.DataFrame({"product": range(1, products + 1), "name": names[:products]}),
        stores=pd.DataFrame(
            {"store": range(1, stores + 1), "name": store_names + [None] * (stores - len(store_names))}
        ),
    )


def forecast_of(cells: pd.DataFrame, cutoff: pd.Timestamp, units: float = 100.0) -> pd.DataFrame:
    """A flat forecast of cells."""
    rows = cells.assign(
        cutoff=cutoff,
        step=(cells["week"] - cutoff).dt.days // 7,
        forecast=units,
        lo_80=0.8 * units,
        hi_80=1.2 * units,
        lo_95=0.7 * units,
        hi_95=1.3 * units,
        model="mean",
        reason=None,
        promotion_known=True,
    )
    return schemas.FORECAST.cast(rows)


def earlier_forecasts(content: Content, weeks: int) -> pd.DataFrame:
    """Flat forecasts of the last `weeks` weeks, each made the week before."""
    cells = content.actual[content.actual["week"] > content.cutoff - pd.Timedelta(weeks=weeks)][schemas.CELL]
    made = [forecast_of(rows, week - pd.Timedelta(weeks=1)) for week, rows in cells.groupby("week")]
    return pd.concat(made, ignore_index=True)


def scores_of(earlier: pd.DataFrame, actual: pd.DataFrame) -> pd.DataFrame:
    """Table `scores` of earlier forecasts, by hand."""
    sold = actual[[*schemas.CELL, "units"]].rename(columns={"units": "actual"})
    rows = earlier.merge(sold, on=schemas.CELL)
    last = sold.rename(columns={"week": "cutoff", "actual": "naive"})
    rows = rows.merge(last, on=["store", "product", "cutoff"], how="left")
    rows["naive"] = rows["naive"].fillna(rows["forecast"])
    rows["absolute_error"] = (rows["forecast"] - rows["actual"]).abs()
    rows["naive_absolute_error"] = (rows["naive"] - rows["actual"]).abs()
    for level in schemas.LEVELS:
        rows[f"within_{level}"] = rows["actual"].between(rows[f"lo_{level}"], rows[f"hi_{level}"])
    tables = []
    for dimension, member in (
        ("total", ""),
        ("product", rows["product"].astype(str)),
        ("store", rows["store"].astype(str)),
    ):
        grouped = rows.assign(dimension=dimension, member=member, series=1, run_id="0" * 16).groupby(
            ["cutoff", "run_id", "week", "step", "dimension", "member"], as_index=False
        )
        names = ["series", "actual", "forecast", "absolute_error", "naive_absolute_error", "within_80", "within_95"]
        tables.append(grouped[names].sum())
    table = pd.concat(tables, ignore_index=True)
    table["pinball"], table["naive_pinball"] = table["absolute_error"] / 4, table["naive_absolute_error"] / 4
    table["wape"] = table["absolute_error"] / table["actual"]
    table["naive_wape"] = table["naive_absolute_error"] / table["actual"]
    table["bias"] = table["forecast"] / table["actual"] - 1
    for level in schemas.LEVELS:
        table[f"coverage_{level}"] = table[f"within_{level}"] / table["series"]
    return schemas.SCORES.cast(table)


def record(**more: Any) -> dict[str, Any]:
    """A run without incidents."""
    return {
        "spec": {"cutoff": "1992-04-16", "point": "median", "model": "mean", "horizon": 2},
        "run_id": "0123456789abcdef",
        "completeness": {"expected": [1, 2, 3], "received": [1, 2, 3], "missing": [], "incomplete": {},
        "status": "whole",
                   "accepted": None},
        **more,
    }  # fmt: skip
