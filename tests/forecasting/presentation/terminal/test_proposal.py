"""What `oj init` prints: within 80 columns, with texts as they are."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pandas as pd

from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.proposal import Proposal
from forecasting.pipeline.panel_proposal import ProposedPanel
from forecasting.presentation.terminal.proposal import show_proposal, show_written
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.terminal.printed import MARKUP, joined, text_of

COLUMNS = {"store": ("country", "store"), "date": ("Datum",), "units": ("Menge",)}
LAYOUT = Layout(
    "sales", COLUMNS, files="*.csv", delimiter="\t", decimal=",", thousands="\u202f", sheet="Data", header_line=3,
    leave_out={"store": ("Total",)}, grain="day",
)  # fmt: skip
ROWS = pd.DataFrame(
    {
        "store": ["a / b\nc", MARKUP[0]],
        "date": pd.to_datetime(["2024-01-05", None]),
        "units": [3.25, None],
        "price": [1.0, 2.0],
    }
)


def test_definition_layout_rows_and_doubts_are_printed(printed: StringIO) -> None:
    """A tab has a name, a line break does not break the table, markup is none."""
    definition = replace(ORANGE_JUICE, whole_units=False, unsold="left_out")
    show_proposal(
        ProposedPanel(Proposal(definition, (LAYOUT,), ("Is it so?",), "x.csv"), ROWS, ("Line 3 does not fit",))
    )
    text = text_of(printed)
    for part in (
        "cartons, with decimals",
        "brand, brands; ids are numbers",
        "start on Thursday, America/Chicago time",
        "a missing row is 0 units",
        "a day, summed to weeks",
        "store: country and store",
        "delimiter tab, decimal mark ,, thousands narrow blank",
        "line 3",
        "store: Total",
        "2024-01-05",
        "3.25",
        "Line 3 does not fit",
        "Is it so?",
    ):
        assert joined(part) in joined(text), part
    assert "a / b\\nc" in text
    assert MARKUP[0] in text


def test_the_next_command_is_named(printed: StringIO, tmp_path: Path) -> None:
    """After the file was written."""
    show_written(Lake(tmp_path))
    assert "panel.toml" in joined(text_of(printed))
    assert "Next: oj import" in text_of(printed)
