"""Every registered model × every kind of hard series: what docs/hard-series.md says is what happens."""

from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.panel_definition import Series
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.forecast_checks import unusable_series
from forecasting.core.partition import PartitionData
from forecasting.models import MODELS, get_model
from forecasting.pipeline.forecast import FALLBACK_MODEL, assemble, forecast_partition, make_partitions
from tests.strategies import whole_offers

PAGE = Path(__file__).parents[3] / "docs" / "hard-series.md"
CUTOFF = date(1992, 1, 30)
WEEKS, AHEAD = 90, 3  # so many that boosted_trees grows trees
HARD = (2, 1)  # the series that is made hard, in stores 2, 5 and 8 with products 1 to 3


@cache
def ordinary_cells() -> pd.DataFrame:
    """Sales and plans of an easy market: prices move sales, promotions come now and then."""
    random = np.random.default_rng(11)
    last = pd.Timestamp(CUTOFF) + pd.Timedelta(weeks=AHEAD)
    weeks = pd.date_range(end=last, periods=WEEKS + AHEAD, freq="7D", unit="us")
    cells = pd.MultiIndex.from_product([[2, 5, 8], [1, 2, 3], weeks], names=schemas.CELL).to_frame(index=False)
    offer = cells[["product", "week"]].drop_duplicates()
    offer["deal"] = random.integers(0, 4, len(offer)) == 0
    offer["feat"] = np.where(offer["deal"], random.choice([0.0, 1.0], len(offer)), 0.0)
    offer["price"] = 3.0 - 0.7 * offer["deal"] - random.choice([0.0, 0.1], len(offer))
    cells = cells.merge(offer, on=["product", "week"])
    expected = (20 + 5 * cells["store"]) * (cells["price"] / 3) ** -3 * (1 + cells["feat"])
    cells["units"] = (expected * random.lognormal(0, 0.2, len(cells))).round()
    return cells


def keep_hard(seen: Callable[[np.ndarray], np.ndarray]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Leave in the hard series only the weeks chosen by their age: 0 is the cutoff week."""

    def change(cells: pd.DataFrame) -> pd.DataFrame:
        age = (pd.Timestamp(CUTOFF) - cells["week"]).dt.days.to_numpy() // 7
        dropped = is_hard(cells) & (age >= 0) & ~seen(age)
        return cells.assign(units=cells["units"].mask(dropped))

    return change


def is_hard(cells: pd.DataFrame) -> np.ndarray:
    return ((cells["store"] == HARD[0]) & (cells["product"] == HARD[1])).to_numpy()


def intermittent(cells: pd.DataFrame) -> pd.DataFrame:
    zeros = is_hard(cells) & (np.arange(len(cells)) % 5 != 0)
    return cells.assign(units=cells["units"].mask(zeros, 0))


KINDS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "new: 1 week": keep_hard(lambda age: age < 1),
    "new: 3 weeks": keep_hard(lambda age: age < 3),
    "short: 9 weeks": keep_hard(lambda age: age < 9),
    "intermittent": intermittent,
    "ended 5 weeks ago": keep_hard(lambda age: age >= 5),
    "with gaps": keep_hard(lambda age: (age % 3 != 1) & (age % 7 != 2)),
    "constant": lambda cells: cells.assign(units=cells["units"].mask(is_hard(cells), 30)),
    "one store only": lambda cells: cells[cells["store"] == HARD[0]],
    "no rivals": lambda cells: cells[cells["product"] == HARD[1]],
    "never promoted": lambda cells: cells.assign(
        deal=cells["deal"] & (cells["product"] != HARD[1]),
        feat=cells["feat"].mask(cells["product"] == HARD[1], 0.0),
        price=cells["price"].mask(cells["product"] == HARD[1], 3.0),
    ),
}


def spec_of(model: str) -> ForecastSpec:
    return ForecastSpec(CUTOFF, horizon=2, gap=1, model=model)


def partition_of(kind: str, model: str) -> PartitionData:
    """The market of a kind, in one partition; where there are no sales there is no plan either, but ahead."""
    return _partition(kind, get_model(model).pooled)


@cache
def _partition(kind: str, pooled: str) -> PartitionData:
    """What all models get that pool alike; none of them changes what it gets."""
    cells = KINDS[kind](ordinary_cells())
    ahead = cells["week"] > pd.Timestamp(CUTOFF)
    # The other products' sales matter to those only that learn from everything; the others are spared the time.
    asked = (cells["product"] == HARD[1]) | (pooled == "everything")
    sales = orange_juice.SALES.cast(cells[cells["units"].notna() & ~ahead & asked])
    promotions = orange_juice.PROMOTIONS.cast(whole_offers(cells[cells["units"].notna() | ahead]))
    model = next(name for name in MODELS if get_model(name).pooled == pooled)
    (partition,) = make_partitions(sales, promotions, spec_of(model), mini_batch_size=1_000)
    return partition


def documented() -> dict[tuple[str, str], str]:
    """What the page says, by (model, kind): its one table, whose first column names the model."""
    header, _, *rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    kinds = _cells(header)[1:]
    return {
        (_cells(row)[0].strip("`"), kind): says
        for row in rows
        for kind, says in zip(kinds, _cells(row)[1:], strict=True)
    }


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_names_every_model_and_every_kind() -> None:
    """A new model needs its row in docs/hard-series.md, and a new kind its column."""
    said = {model for model, _ in documented()}
    assert said == set(MODELS), f"docs/hard-series.md: add rows of {set(MODELS) - said}, remove {said - set(MODELS)}"
    assert sorted(documented()) == sorted((model, kind) for model in MODELS for kind in KINDS)
    assert set(documented().values()) == {"forecast", "refused"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("model", sorted({model for model, _ in documented()} & set(MODELS)))
def test_a_hard_series_is_forecast_or_refused_as_the_page_says(model: str, kind: str) -> None:
    """Either usable rows of its own, within what the product ever sold, or a refusal that costs that series only."""
    spec = spec_of(model)
    partition = partition_of(kind, model)

    if documented()[model, kind] == "forecast":
        rows = forecast_partition(partition, spec)
        assert unusable_series(rows, partition.series, spec) == {}
        most = partition.panel.loc[partition.panel["product"] == HARD[1], "units"].max()
        assert rows.loc[is_hard(rows), "median"].between(0, most).all()
        return

    store, product = HARD
    hard = pd.DataFrame([HARD], columns=schemas.SERIES)
    others = partition.series[~is_hard(partition.series)]
    with pytest.raises(ValueError, match=rf"\({store}, {product}\).* observed weeks"):
        forecast_partition(partition.only(hard), spec)
    reasons: dict[Series, str] = {HARD: "raised"}
    table = assemble([forecast_partition(partition.only(others), spec)], [partition], reasons, spec)
    assert set(table.loc[is_hard(table), "model"]) == {FALLBACK_MODEL}
    assert set(table.loc[is_hard(table), "reason"]) == {"raised"}
    assert set(table.loc[~is_hard(table), "model"]) == {model}


@pytest.mark.parametrize("model", [name for name in MODELS if get_model(name).pooled == "nothing"])
def test_a_series_that_never_changed_stays(model: str) -> None:
    """Models that see one series at a time forecast a constant one as that constant, without doubt."""
    spec = spec_of(model)
    partition = partition_of("constant", model)

    rows = forecast_partition(partition.only(pd.DataFrame([HARD], columns=schemas.SERIES)), spec)

    assert rows[["lo_95", "median", "mean", "hi_95"]].to_numpy() == pytest.approx(np.full((2, 4), 30.0))
