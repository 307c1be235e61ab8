"""Tests of how a run's model was chosen, in words."""

from typing import Any

from forecasting.presentation.model_choice import describe_choice

KEPT = {"retrain": "never", "version": "0ff5138fb1ec", "model": "price_response", "trained_until": "1992-04-16"}
CONTEST = {"model": "mean", "promoted": True, "why": "pinball loss 3.00 against 6.00 cartons"}


def verdict_of_mean(*, is_better: bool) -> dict[str, Any]:
    """The entries of a contest, as a receipt holds them."""
    return {"entries": {"mean": {"is_better": is_better}}}


def test_the_usual_way_needs_no_words() -> None:
    """A run that fitted its model, and receipts from before there were kept ones."""
    assert describe_choice({}) == describe_choice({"retrain": "always"}) == ""


def test_a_kept_model_is_named_with_its_age() -> None:
    """Family, version, and the last week that it has seen."""
    assert describe_choice(KEPT) == "price_response 0ff5138fb1ec, trained on weeks up to 1992-04-16"


def test_a_contest_is_told_with_its_cause_and_end() -> None:
    """The alarm, who took over or did not, and why."""
    told = describe_choice(KEPT | {"alarm": "The forecasts are twice what was sold.", "contest": CONTEST})
    assert "after an alarm (The forecasts are twice what was sold.)" in told
    assert "mean took over: pinball loss 3.00 against 6.00 cartons" in told
    lost = describe_choice(KEPT | {"contest": CONTEST | {"promoted": False} | verdict_of_mean(is_better=False)})
    assert "mean was no better beyond chance: pinball" in lost


def test_one_that_is_kept_is_not_called_worse() -> None:
    """A past week got a model of its own; a better one came too late, as the champion was replaced meanwhile."""
    without: dict[str, Any] = {"entries": {}}
    for entries in (without, verdict_of_mean(is_better=True)):
        kept = describe_choice(KEPT | {"contest": CONTEST | {"promoted": False} | entries})
        assert "mean is kept, and not put in force: pinball" in kept
