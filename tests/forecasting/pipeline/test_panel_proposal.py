"""The proposal for files of a user, and where it may be written."""

import re
from pathlib import Path

import pytest

from forecasting.contracts.errors import DataError, OptionError
from forecasting.contracts.orange_juice import LAYOUTS
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.pipeline.panel_proposal import propose_panel, require_undeclared
from forecasting.storage.lake import Lake
from tests.forecasting.core.sampled import panel

HEADER = "store,product,week,units,price"


def text(**options: object) -> str:
    return panel(header=HEADER, more=",2.5", products=("1", "2"), **options)  # type: ignore[arg-type]


def test_the_first_rows_are_read_as_the_proposal_says(tmp_path: Path) -> None:
    """By the reader of imports and of the inbox: ten of them."""
    (tmp_path / "sales.csv").write_text(text())
    proposed = propose_panel([tmp_path / "sales.csv"])
    assert len(proposed.rows) == 10
    assert list(proposed.rows.columns) == ["store", "product", "date", "units", "price"]
    assert list(proposed.rows["units"][:3]) == [10, 11, 12]
    assert proposed.refused == ()


def test_rows_that_do_not_fit_are_told_once_a_rule(tmp_path: Path) -> None:
    """With the first line of each."""
    rows = text().splitlines()
    rows[2], rows[3] = rows[2].replace(",2.5", ",x"), rows[3].replace(",2.5", ",x")
    (tmp_path / "sales.csv").write_text("\n".join([*rows, *rows[30:]]))
    proposed = propose_panel([tmp_path / "sales.csv"])
    assert len(proposed.rows) == 8
    (sentence,) = proposed.refused
    assert sentence.startswith("Line 3 of sales.csv, and 1 more of the first 10 rows, do not fit: price is 'x'")


def test_folders_and_patterns_are_files(tmp_path: Path) -> None:
    """Files of other kinds in a folder are passed over."""
    (tmp_path / "sales_2024-01-01.csv").write_text(text(days=10))
    (tmp_path / "sales_2024-03-11.csv").write_text(text(days=10, start="2024-03-11"))
    (tmp_path / "notes.md").write_text("notes")
    (tmp_path / ".hidden.csv").write_text("a")
    by_folder = propose_panel([tmp_path]).proposal
    assert by_folder.layouts[0].files == "sales_*.csv"
    assert by_folder == propose_panel([tmp_path / "sales_*.csv"]).proposal


@pytest.mark.parametrize("name", ["none.csv", "none*.csv", "."])
def test_no_file_is_one_sentence(tmp_path: Path, name: str) -> None:
    """Also an empty folder."""
    with pytest.raises(DataError, match=re.escape(f"There is no file {tmp_path / name}")):
        propose_panel([tmp_path / name])


def test_a_definition_is_replaced_only_if_asked_and_without_sales(tmp_path: Path, simulated_lake: Lake) -> None:
    """Else the sentence says what to do."""
    lake = Lake(tmp_path / "new")
    require_undeclared(lake, replace=False)
    lake.reference.write_panel(ORANGE_JUICE, LAYOUTS)
    with pytest.raises(OptionError, match=r"has a panel definition already; edit .*panel.toml, or .* --replace"):
        require_undeclared(lake, replace=False)
    require_undeclared(lake, replace=True)
    with pytest.raises(OptionError, match="has sales already"):
        require_undeclared(simulated_lake, replace=True)
