"""What the commands of registered models print."""

from dataclasses import replace
from datetime import date
from io import StringIO

from forecasting.pipeline.challengers import Evaluation
from forecasting.presentation.terminal.models import show_models, show_training
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


def test_a_training_says_what_became_of_the_model(printed: StringIO) -> None:
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
