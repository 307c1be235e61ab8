"""Work that a run can do without."""

from typing import Any

import pytest

from forecasting.best_effort import best_effort, sentence_of
from forecasting.contracts.errors import RunError


def test_what_fails_is_logged_and_the_run_goes_on(caplog: Any) -> None:
    """A cluster that does not start, for instance; but a person's stop is a stop."""
    with best_effort("The baseline could not be built") as tried:
        raise OSError("no ports")
    assert str(tried.error) == "no ports"
    assert "The baseline could not be built: OSError: no ports" in caplog.text
    with pytest.raises(KeyboardInterrupt), best_effort("The baseline could not be built"):
        raise KeyboardInterrupt


def test_what_succeeds_leaves_no_error(caplog: Any) -> None:
    """And no line in the log."""
    with best_effort("The baseline could not be built") as tried:
        pass
    assert tried.error is None
    assert caplog.messages == []


def test_an_error_of_ours_is_its_sentence() -> None:
    """Any other is named by its class."""
    assert sentence_of(RunError("It broke", "mend it")) == "It broke; mend it."
    assert sentence_of(KeyError("units")) == "KeyError: 'units'"
