"""What the commands of registered models print."""

from dataclasses import replace
from datetime import date
from io import StringIO

import pytest

from forecasting.core.folds import PUBLISHED_MAPE
from forecasting.pipeline.backtest import BacktestResult
from forecasting.pipeline.challengers import Evaluation
from forecasting.presentation.terminal.models import show_backtest, show_models, show_training
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.terminal.printed import joined, text_of

EVALUATION = Evaluation(
    "price_response",
    "0ff5138fb1ec",
    date(1992, 4, 16),
    promoted=True,
    why="[/] there was no champion",
    scores={"wape": 0.2345, "bias": -0.05, "coverage_80": 0.81},
)


def test_a_training_prints_what_became_of_the_model(printed: StringIO) -> None:
    """Promoted or registered, why, and how good it is."""
    show_training(EVALUATION, 12.3)

    text = joined(text_of(printed))
    assert joined("price_response 0ff5138fb1ec is the champion now") in text
    assert joined("why [/] there was no champion") in text
    assert joined("WAPE 23.4 %, bias −5.0 %, 81 % of the actuals in the 80 % intervals") in text


def test_a_training_names_the_champion_it_was_compared_with(printed: StringIO) -> None:
    """With the folds that it forecast as it was trained, and those at which it was fitted anew."""
    frozen, refitted = (date(1992, 4, 9),), (date(1992, 3, 5), date(1992, 3, 12))
    compared = replace(EVALUATION, promoted=False, against="abc", champion_frozen_at=frozen)

    show_training(replace(compared, champion_refitted_at=refitted), 12.3)

    text = joined(text_of(printed))
    assert joined("is registered; the champion stays") in text
    assert joined("abc, at 1 fold as it was trained, at 2 earlier ones its model fitted anew") in text


def test_a_lake_without_models_says_how_to_get_one(printed: StringIO, lake: Lake) -> None:
    """Every run fits its own until then."""
    show_models(lake)

    assert "No model has been trained yet" in text_of(printed)


def result_of(*models: str, source: str = "the shipped data", scale: float = 1.0) -> BacktestResult:
    """What a backtest gives; `scale` makes bad scores."""
    names = ["mape", "wape", "bias", "mase", "pinball", "coverage_80", "coverage_95", "width_80", "width_95"]
    scores = {model: {**dict.fromkeys(names, 0.3456 * scale), "cpu_ms": 1.23 * scale} for model in models}
    return BacktestResult(source, 12, 21_612, 1234, scores, {"total": 98.7})


@pytest.mark.parametrize("protocol", [None, "A", "B", "tune"])
def test_a_backtest_fits_80_columns(protocol: str | None, printed: StringIO) -> None:
    """A line of scores for each model, the published ones below, from the best to the worst."""
    show_backtest(result_of("naive", "price_response"), protocol)

    text = text_of(printed)
    assert (f"Protocol {protocol}" if protocol else "Own folds") in text
    assert "12 folds, 21,612 forecasts" in text
    assert "1,234 of the forecasts are fallbacks" in text
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    assert lines["price_response"][1:] == [
        "34.6",
        "34.6",
        "34.6",
        "0.35",
        "34.6",
        "34.6",
        "34.6",
        "34.6",
        "34.6",
        "1.23",
    ]
    published = PUBLISHED_MAPE.get(protocol or "", {})
    assert all(f"{mape:.1f}" in text for mape in published.values())
    assert joined(text).count("(published)") == len(published)


@pytest.mark.parametrize("scale", [3.0, 30.0, 300.0, float("nan")])
def test_bad_scores_are_not_cut(scale: float, printed: StringIO) -> None:
    """A model that runs away has a MAPE of 10,368 %: neither its digits nor its name give way."""
    result = result_of("price_response", scale=scale)
    (scores,) = result.scores.values()
    result = replace(result, scores={"price_response": {**scores, "coverage_80": 1.0, "coverage_95": 1.0}})

    show_backtest(result, None)

    text = text_of(printed)
    assert "…" not in text
    assert any(line.startswith("pric") for line in text.splitlines())
    assert f"{34.56 * scale:.0f}"[:-1] in text


def test_a_long_model_name_is_folded(printed: StringIO) -> None:
    """One's own model has the name of its module: all of it is shown."""
    name = "my_company_models.orange_juice.bayesian:hierarchical_forecast"

    show_backtest(result_of(name, "naive"), None)

    text = text_of(printed)
    assert "34.6" in text
    assert all(part in joined(text) for part in ("my_company", "hierarchical"[:6]))
