"""Tests of how a run's model was chosen, in words."""

from flows.telling import describe_choice

KEPT = {"retrain": "never", "version": "0ff5138fb1ec", "model": "price_response", "trained_until": "1992-04-16"}
CONTEST = {"model": "mean", "promoted": True, "why": "pinball loss 3.00 against 6.00 cartons"}


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
    lost = describe_choice(KEPT | {"contest": CONTEST | {"promoted": False}})
    assert "mean was no better beyond chance" in lost
