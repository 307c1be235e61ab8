"""The options of the flows: each declared once, in the form of the Prefect UI, on the command line and in its spec."""

from collections.abc import Callable
from dataclasses import Field, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from prefect.utilities.callables import parameter_schema
from typer.main import get_command

import deployments.cli  # noqa: F401 - adds its commands
from flows.backfill import backfill
from flows.backtest import backtest
from flows.options import (
    BackfillOptions,
    BacktestOptions,
    ForecastOptions,
    TrainOptions,
    WeeklyOptions,
    existing_lake,
    open_lake,
)
from flows.train import train
from flows.weekly_forecast import weekly_forecast
from forecasting.cli import app
from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import BatchSpec, ClusterSpec, ForecastSpec, GateSpec, Option
from forecasting.storage.lake import Lake

WEEK = date(1992, 4, 16)
COMMANDS: dict[str, Any] = vars(get_command(app))["commands"]
FLOWS = [
    ("run", WeeklyOptions, weekly_forecast),
    ("backfill", BackfillOptions, backfill),
    ("backtest", BacktestOptions, backtest),
    ("train", TrainOptions, train),
]


@pytest.mark.parametrize(("command", "options", "flow"), FLOWS, ids=lambda value: getattr(value, "__name__", value))
def test_an_option_is_declared_once(command: str, options: type, flow: Any) -> None:
    """A field of the options class is, with the same help, a field of the form and an option of the command.

    So a new option touches its declaration and the code that uses it: two source files.
    """
    form = parameter_schema(flow.fn).properties
    shown = {parameter.name: parameter for parameter in COMMANDS[command].params}
    names = [each.name for each in fields(options)]
    assert set(form) == set(names)
    assert set(shown) == set(names)
    for name, annotation in get_type_hints(options, include_extras=True).items():
        if name not in names:
            continue
        [option] = [each for each in annotation.__metadata__ if isinstance(each, Option)]
        assert form[name]["description"] == option.help
        assert form[name]["title"]
        assert shown[name].help.startswith(option.help.removesuffix("."))
    assert sorted(form, key=lambda name: form[name]["position"]) == [name for name in shown if name in names]


def test_trigger_takes_the_options_of_a_run() -> None:
    """And whether to follow it."""
    of_run = {parameter.name for parameter in COMMANDS["run"].params}
    assert {parameter.name for parameter in COMMANDS["trigger"].params} == {*of_run, "watch"}


def other(field: "Field[Any]", annotation: Any) -> Any:
    """A valid value that is not the field's default."""
    default = field.default
    kind = get_args(annotation)[0]
    if get_origin(kind) is Literal:
        return next(each for each in get_args(kind) if each != default)
    special: dict[str, Any] = {
        "cluster": "distributed.LocalCluster",
        "max_instances": 64,
        "insecure": True,
        "min_reporting": 0.5,
        "cluster_options": {"n_workers": 1},
    }
    return special.get(field.name, default + 1 if isinstance(default, int | float) else None)


SPECS: list[tuple[type, Callable[[ForecastOptions, Lake], object]]] = [
    (ForecastSpec, lambda options, lake: options.spec(lake, WEEK)),
    (GateSpec, lambda options, lake: options.gate_spec(lake, WEEK)),
    (BatchSpec, lambda options, lake: options.batch_spec),
    (ClusterSpec, lambda options, lake: options.cluster_spec),
]


@pytest.mark.parametrize(("spec", "made_of"), SPECS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_option_of_a_spec_reaches_it(
    spec: type, made_of: Callable[[ForecastOptions, Lake], object], tmp_path: Path
) -> None:
    """Every field of a spec that is an option has the option's value; the defaults are the spec's own."""
    lake = Lake(tmp_path)
    hints = get_type_hints(spec, include_extras=True)
    options = [each for each in fields(spec) if hasattr(hints[each.name], "__metadata__") or each.name == "model"]
    assert options
    plain = WeeklyOptions(cluster="distributed.LocalCluster", min_instances=1)
    for each in options:
        value: Any = other(each, hints[each.name]) if each.name != "model" else "mean"
        changed = replace(plain, **{each.name: value})
        assert getattr(made_of(changed, lake), each.name) == value, each.name
    if spec in (BatchSpec, ClusterSpec):
        assert made_of(WeeklyOptions(), lake) == spec()


def test_the_gate_waits_until_the_deadline_in_the_time_zone_of_the_lake(simulated_lake: Lake) -> None:
    """So many hours after the week closes, or until a moment; one without a zone is in the lake's: Chicago."""
    assert WeeklyOptions(deadline_hours=1).gate_spec(simulated_lake, WEEK).deadline == datetime(
        1992, 4, 23, 6, tzinfo=UTC
    )
    naive = WeeklyOptions(deadline=datetime(1992, 4, 24)).gate_spec(simulated_lake, WEEK)  # noqa: DTZ001 - as people type it
    assert naive.deadline == datetime(1992, 4, 24, 5, tzinfo=UTC)
    aware = WeeklyOptions(deadline=datetime(1992, 4, 24, tzinfo=UTC)).gate_spec(simulated_lake, WEEK)
    assert aware.deadline == datetime(1992, 4, 24, tzinfo=UTC)


def test_a_fold_is_never_refused() -> None:
    """A series that fails counts with its fallback."""
    assert BacktestOptions(mini_batch_size=9).batch_spec == BatchSpec(mini_batch_size=9, error_threshold=-1)


def test_options_that_contradict_are_refused() -> None:
    """When the object is made, however it was given: by form, command or trigger."""
    with pytest.raises(OptionError, match="is not encrypted"):
        WeeklyOptions(cluster="tcp://10.0.0.1:8786")
    with pytest.raises(OptionError, match="neither a name nor an SQLite file") as refused:
        BackfillOptions(first=WEEK, database="postgresql://oj:swordfish@host/db")
    assert "swordfish" not in str(refused.value)


def test_a_lake_is_opened_or_must_exist(tmp_path: Path) -> None:
    """`open_lake` creates nothing; `existing_lake` names what is missing."""
    assert open_lake(str(tmp_path / "lake")).root.path == tmp_path / "lake"
    assert not (tmp_path / "lake").exists()
    with pytest.raises(OptionError, match="lake does not exist; name a lake with --lake"):
        existing_lake(str(tmp_path / "lake"))
    assert existing_lake(str(tmp_path)).root.path == tmp_path
