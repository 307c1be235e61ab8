"""What `oj whatif` prints."""

from datetime import date
from io import StringIO

import pytest

from forecasting.pipeline.what_if import Answer
from forecasting.presentation.terminal.whatif import show_answer
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.terminal.printed import joined, text_of

UNITS = {"forecast": 100.0, "lo_80": 80.0, "hi_80": 120.0, "lo_95": 70.0, "hi_95": 1300.0}
ANSWER = Answer(
    step=2,
    plan={"price": 2.49, "deal": 0, "feat": 0.0},
    plan_known=True,
    asked={"price": 1.99, "deal": 1, "feat": 0.5},
    by_plan=UNITS,
    by_asked={**UNITS, "forecast": 150.0},
    warnings=("The series has never had [bold]this price[/bold].",),
)


def test_plan_and_question_stand_side_by_side(printed: StringIO, lake: Lake) -> None:
    """The covariates of the panel by their labels, the units, both intervals, the change, and the warnings."""
    show_answer(lake, 5, 1, date(1992, 4, 30), "price_response", ANSWER)

    lines = [" ".join(line.split()) for line in text_of(printed).splitlines()]
    assert lines[0] == "Store 5, Tropicana (product 1), week of 1992-04-30, 2 weeks ahead"
    assert lines[1] == "price deal advert cartons 80 % interval 95 % interval"
    assert lines[2] == "the plan $2.49 0 0 % 100 80–120 70–1,300"
    assert lines[3] == "what if $1.99 1 50 % 150 80–120 70–1,300"
    assert lines[4] == "+50 cartons (+50 %) against the plan"
    assert joined("The series has never had [bold]this price[/bold].") in joined(text_of(printed))


@pytest.mark.parametrize("forecast", [0.0, 100.0])
def test_an_assumed_plan_is_called_so(forecast: float, printed: StringIO, lake: Lake) -> None:
    """A change against nothing has no percent."""
    by_plan = {**UNITS, "forecast": forecast}
    answer = Answer(1, ANSWER.plan, False, ANSWER.asked, by_plan, ANSWER.by_asked, ())

    show_answer(lake, 5, 7, date(1992, 4, 30), "price_response", answer)

    text = text_of(printed)
    assert "assumed (no plan)" in text
    assert "Store 5, 7 (product 7)" in text
    assert ("%) against" in text) == bool(forecast)
