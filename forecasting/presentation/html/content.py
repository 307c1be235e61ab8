"""What a page tells of: tables and plain values, gathered by whoever asks for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from forecasting.contracts import schemas


@dataclass(frozen=True)
class Content:
    """Everything that the page of one cutoff needs. Any table but the first may be empty.

    report: table `report` of the cutoff.
    earlier: rows of table `forecast` of earlier cutoffs, of weeks that have been sold.
    scores: table `scores` of the forecasts in force.
    alarms: plain values, each with a `sentence`; they stand at the top of the page.
    corrections: what re-sent weeks changed since the run before: `week, store, product, units_before, units_after`.
    replaced: the forecast of this cutoff that the one in force took the place of (table `forecast`).
    published: what the published file says of itself: `run_id`, `point`, `model_version` where one was kept.
    receipt: of the run that made the forecast, as far as it was known.
    """

    report: pd.DataFrame
    earlier: pd.DataFrame
    scores: pd.DataFrame
    alarms: Sequence[Mapping[str, Any]]
    corrections: pd.DataFrame
    replaced: pd.DataFrame
    published: Mapping[str, str]
    record: Mapping[str, Any]
    products: pd.DataFrame
    stores: pd.DataFrame

    @cached_property
    def cutoff(self) -> pd.Timestamp:
        return self.forecast["cutoff"].iloc[0]

    @cached_property
    def forecast(self) -> pd.DataFrame:
        """The rows of the report that are forecast."""
        return self.report[self.report["kind"] == "forecast"]

    @cached_property
    def actual(self) -> pd.DataFrame:
        """The rows of the report that were sold."""
        return self.report[self.report["kind"] == "actual"]

    @cached_property
    def point(self) -> str:
        """Which point of the distribution the forecast is."""
        return self.published.get("point", "median")

    @cached_property
    def product_names(self) -> dict[int, str]:
        named = self.report.drop_duplicates("product").sort_values("product")
        return {int(product): str(name) for product, name in zip(named["product"], named["product_name"], strict=True)}

    @cached_property
    def store_names(self) -> dict[int, str]:
        """A store's name, where it has one; else its number."""
        names = self.stores.dropna(subset="name").set_index("store")["name"].to_dict()
        return {int(store): str(names.get(store, store)) for store in sorted(self.report["store"].unique())}

    @cached_property
    def matured(self) -> pd.DataFrame:
        """Earlier forecasts of which the actual is known, with it as `actual`."""
        sold = self.actual[[*schemas.CELL, "units"]].rename(columns={"units": "actual"})
        return self.earlier.merge(sold, on=schemas.CELL, how="inner")
