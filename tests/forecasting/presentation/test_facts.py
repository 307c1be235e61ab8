"""Facts, as writers lay them out."""

import logging

import pytest

from forecasting.presentation.facts import Fact, Tone


@pytest.mark.parametrize(
    ("tone", "level"), [(Tone.PLAIN, logging.INFO), (Tone.WARNING, logging.WARNING), (Tone.ALARM, logging.WARNING)]
)
def test_what_wants_attention_is_a_warning_in_the_log(tone: Tone, level: int) -> None:
    """Everything else is information."""
    assert Fact("gaps", "store 90", tone).level == level
