"""A partition that is transferred by shared storage is the one that is sent in a message."""

import shutil
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasting.compute.transfer import PartitionUnreadable, store
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.fitted_model import FittedModel
from forecasting.core.partition import Partition
from forecasting.pipeline.forecast import make_partitions, train

# No field has its default value.
OF_ANOTHER_KIND = replace(
    ORANGE_JUICE,
    week_starts_on=4,
    whole_units=False,
    negative_units=True,
    unsold="left_out",
    empty_units="zero",
    new_ids="accept",
    holidays="US",
    category="ounces",
)


@pytest.fixture(scope="module")
def fitted(few_stores: tuple[pd.DataFrame, pd.DataFrame]) -> FittedModel:
    """A real model, with texts as well."""
    spec = ForecastSpec(dominicks_week(64), horizon=3, gap=1, model="arima_regression", point="mean")
    return replace(train(*few_stores, spec), texts={"tree": "a\nb", "ümlaut": "ä"})


@pytest.fixture(scope="module")
def with_model(few_stores: tuple[pd.DataFrame, pd.DataFrame], fitted: FittedModel) -> list[Partition]:
    """Partitions with a model, in which no field has its default value."""
    spec = replace(fitted.spec, cutoff=dominicks_week(70))
    made = make_partitions(*few_stores, spec, mini_batch_size=8, fitted=fitted)
    on_friday = replace(fitted.spec, cutoff=fitted.spec.cutoff + timedelta(days=1), definition=OF_ANOTHER_KIND)
    return [replace(each, fitted=replace(each.fitted, spec=on_friday)) for each in made if each.fitted]


def require_same(found: Any, expected: Any) -> None:
    """The same type and, field by field to any depth, the same values, types and order, to the last bit."""
    assert type(found) is type(expected)
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    elif is_dataclass(expected):
        for field in fields(expected):
            require_same(getattr(found, field.name), getattr(expected, field.name))
    else:
        assert found == expected


def defaulted(thing: Any, path: str = "") -> list[str]:
    """The fields of a dataclass, to any depth, that have their default value: one that is lost would look like this."""
    found = []
    for field in fields(thing):
        value, name = getattr(thing, field.name), f"{path}.{field.name}"
        if is_dataclass(value):
            found += defaulted(value, name)
        elif not isinstance(value, pd.DataFrame) and value == default_of(field):
            found.append(name)
    return found


def default_of(field: "Field[Any]") -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def test_a_stored_partition_is_the_same_to_the_last_bit(partitions: list[Partition], tmp_path: Path) -> None:
    """Without a fitted model; of the real data, nothing is lost in the file."""
    for number, partition in enumerate(partitions):
        require_same(store(partition, tmp_path / str(number)).load(), partition)


def test_a_stored_partition_keeps_its_model(with_model: list[Partition], tmp_path: Path) -> None:
    """Every field of partition, model and spec, also one that is yet to come: `defaulted` asks for a value of it."""
    for number, partition in enumerate(with_model):
        assert defaulted(partition) == []
        require_same(store(partition, tmp_path / str(number)).load(), partition)


@pytest.mark.parametrize("model", ["price_response", "mean"])
def test_every_shape_of_model_is_kept(
    model: str, few_stores: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    """Numbers that stores share and numbers of one store, together; and a model without any."""
    spec = ForecastSpec(dominicks_week(70), model=model)
    fitted = train(*few_stores, spec)
    for number, partition in enumerate(make_partitions(*few_stores, spec, mini_batch_size=8, fitted=fitted)):
        require_same(store(partition, tmp_path / str(number)).load(), partition)


def test_missing_files_are_an_error_of_their_own(partitions: list[Partition], tmp_path: Path) -> None:
    """So that the partition can be sent in a message instead."""
    stored = store(partitions[0], tmp_path / "stored")
    shutil.rmtree(tmp_path / "stored")
    with pytest.raises(PartitionUnreadable):
        stored.load()


@pytest.mark.parametrize("name", ["panel.parquet", "promotions.parquet", "parameters.parquet", "texts.json"])
@pytest.mark.parametrize("length", [None, 0, 20])
def test_a_file_that_is_not_whole_is_unreadable(
    name: str, length: int | None, with_model: list[Partition], tmp_path: Path
) -> None:
    """Missing, empty or cut short: the partition is never forecast without it."""
    stored = store(with_model[0], tmp_path / "stored")
    path = tmp_path / "stored" / name
    content = path.read_bytes()
    path.unlink()
    if length is not None:
        path.write_bytes(content[:length])
    with pytest.raises(PartitionUnreadable):
        stored.load()
