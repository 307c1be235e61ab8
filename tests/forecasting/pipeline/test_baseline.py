"""The baseline of a monitor: when it is due, what it is built from, and its name."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.pipeline import baseline as baselines
from forecasting.pipeline.baseline import BaselineResult, build_baseline, folds_due, monitor_key
from forecasting.pipeline.monitoring import monitor
from forecasting.storage.lake import Lake
from tests.forecasting.core.test_drift import FIRST, backtest_rows
from tests.forecasting.pipeline.replayed import WEEKS, spec_of


@pytest.fixture
def lake(replayed_lake: Lake) -> Lake:
    return replayed_lake


def test_the_baseline_is_due_once_four_weeks_have_matured(lake: Lake) -> None:
    """Fifty-two folds of one step, the last of which ends before the first week that has matured."""
    folds = folds_due(lake, spec_of(WEEKS[-1]), 1.0)
    assert folds is not None
    assert (folds.horizon, folds.gap, len(folds.cutoffs)) == (1, 0, 52)
    assert folds.cutoffs[-1] + 2 * WEEK == WEEKS[1]
    assert folds_due(lake, ForecastSpec(WEEKS[-1], model="naive"), 1.0) is None
    slow = folds_due(lake, spec_of(WEEKS[-1]), 600 / 30)
    assert slow is not None
    assert (len(slow.cutoffs), slow.cutoffs[-1]) == (30, folds.cutoffs[-1])
    assert folds_due(lake, spec_of(WEEKS[-1]), 600 / 20) is None
    assert folds_due(lake, spec_of(WEEKS[-1]), None) is None


class NoCluster:
    """Runs what it is given here and now."""

    class record:  # noqa: N801 - an attribute of a cluster
        seconds_cpu = 0.0


def test_a_baseline_is_built_from_the_models_own_backtest(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds the folds' weeks by total and product, and is not made twice."""
    folds = folds_due(lake, spec_of(WEEKS[-1]), 1.0)
    assert folds is not None
    asked: list[Any] = []

    def run_folds(
        cluster: Any, source: Any, folds: Any, models: Any, point: Any, batch: Any, *, on_progress: Any
    ) -> Any:
        asked.append((folds.cutoffs, models, point, batch.error_threshold))
        return backtest_rows(1, seed=1, first=pd.Timestamp(folds.cutoffs[0]) + WEEK), {}

    monkeypatch.setattr(baselines, "run_folds", run_folds)
    spec = spec_of(WEEKS[-1])
    seen: list[tuple[int, int]] = []
    made = build_baseline(NoCluster(), lake, spec, BatchSpec(), folds, on_progress=lambda *done: seen.append(done))  # type: ignore[arg-type]
    assert made == BaselineResult(52)
    assert asked == [((cutoff,), ["mean"], "median", -1) for cutoff in reversed(folds.cutoffs)]
    assert (seen[0], seen[-1]) == ((0, 52), (52, 52))
    baseline = lake.monitoring.baseline(monitor_key(spec))
    assert len(baseline) == 52 * 7
    assert folds_due(lake, spec, 1.0) is None
    assert monitor(lake, spec).is_monitored

    # A second model, for which there is no time: one fold is begun, and it is tried once only.
    monkeypatch.setattr(baselines, "BASELINE_SECONDS", -1.0)
    naive = replace(spec, model="naive")
    with pytest.raises(RunError, match="Only 1 past weeks could be forecast by naive"):
        build_baseline(NoCluster(), lake, naive, BatchSpec(), folds, on_progress=lambda *_: None)  # type: ignore[arg-type]
    assert asked[52:] == [((folds.cutoffs[-1],), ["naive"], "median", -1)]
    assert not lake.monitoring.baseline(monitor_key(naive)).empty
    assert not monitor(lake, naive).is_monitored


def test_the_key_of_a_monitor_is_a_name_of_a_file() -> None:
    """Own models have names with colons, or worse; another point is another baseline, another cutoff is not."""
    assert monitor_key(spec_of(WEEKS[0])) == monitor_key(spec_of(WEEKS[1]))
    keys = {monitor_key(replace(spec_of(WEEKS[0]), model=model)) for model in ("a:b", "a-b", "../../a", "ä" * 99)}
    assert len(keys) == 4
    assert all(key.replace("-", "").isalnum() and key.isascii() and len(key) < 60 for key in keys)
    assert monitor_key(replace(spec_of(WEEKS[0]), point="mape")) != monitor_key(spec_of(WEEKS[0]))
    assert FIRST.day_name() == "Thursday"
