"""`oj simulate`, `oj init`, `oj import` and `oj status`, as their users meet them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from forecasting.cli import app
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.storage.lake import Lake
from tests.forecasting.core.sampled import panel
from tests.shop import shop_lake, write_sales


def oj(*args: str) -> Result:
    return CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1"})


def test_status_of_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    """Nothing is there yet, and asking creates nothing."""
    result = oj("status", "--lake", str(tmp_path))
    assert result.exit_code == 0
    assert "none yet: oj simulate" in result.output
    assert not list(tmp_path.iterdir())


def test_status_shows_weeks_and_what_is_waiting(simulated_lake: Lake) -> None:
    """The weeks of the lake, and the files of the inbox by week."""
    output = oj("status", "--lake", str(simulated_lake.root)).output
    assert "96 weeks, 1990-06-14 to 1992-04-09" in output
    assert "1992-04-16: 82 files" in output


def test_the_lake_may_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OJ_LAKE stands where --lake is not given."""
    monkeypatch.setenv("OJ_LAKE", str(tmp_path / "elsewhere"))
    assert oj("simulate", "--history-until", str(dominicks_week(60))).exit_code == 0
    assert Lake(tmp_path / "elsewhere").sales.weeks()[-1] == dominicks_week(60)


def test_a_lake_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error names folder and remedy."""
    (tmp_path / "file").write_text("no folder")
    result = oj("simulate", "--lake", str(tmp_path / "file" / "lake"))
    assert result.exit_code == 1
    assert "cannot be written" in result.output


def test_init_shows_a_proposal_and_asks(tmp_path: Path) -> None:
    """Nothing is written unless the answer is yes, or --yes is given."""
    (tmp_path / "sales.csv").write_text(panel(header="shop,sku,week,sold", products=("1", "2")))
    lake = Lake(tmp_path / "lake")
    command = ["init", str(tmp_path / "sales.csv"), "--lake", str(lake.root)]
    asked = CliRunner().invoke(app, command, input="n\n", env={"COLUMNS": "80", "NO_COLOR": "1"})
    assert asked.exit_code == 1
    assert not lake.root.exists()
    written = oj(*command, "--yes")
    assert written.exit_code == 0, written.output
    assert "Next: oj import" in written.output
    assert lake.reference.definition.product.word == "SKU"
    assert lake.reference.layouts[0].columns["units"] == ("sold",)
    again = oj(*command, "--yes")
    assert again.exit_code == 1
    assert "--replace" in again.output
    assert oj(*command, "--yes", "--replace").exit_code == 0


def test_init_of_a_file_without_dates_is_one_sentence(tmp_path: Path) -> None:
    """It names what is missing."""
    (tmp_path / "stores.csv").write_text("store,units\na,3\nb,4\n")
    result = oj("init", str(tmp_path / "stores.csv"), "--lake", str(tmp_path / "lake"))
    assert result.exit_code == 1
    assert "has no column of dates" in result.output


def test_files_are_imported_and_what_is_wrong_is_listed(tmp_path: Path) -> None:
    """A check changes nothing; a refused import lists its rows; with a larger share allowed the others come in."""
    lake = shop_lake(tmp_path / "lake")
    (tmp_path / "sales").mkdir()
    write_sales(tmp_path / "sales" / "Umsatz.csv", range(3))
    with (tmp_path / "sales" / "Umsatz.csv").open("a", encoding="utf-8") as file:
        file.write("007;=cmd;02.01.2023;2,5;viel\n")
    command = ("import", str(tmp_path / "sales"), "--lake", str(lake.root))

    checked = oj(*command, "--check")
    assert (checked.exit_code, lake.sales.weeks()) == (1, [])  # an import would be refused
    assert "Nothing was changed" in checked.output
    assert oj(*command, "--check", "--max-quarantined", "0.1").exit_code == 0
    assert not (lake.root / "imports").exists()

    refused = oj(*command)
    assert (refused.exit_code, lake.sales.weeks()) == (1, [])
    assert "not_a_number: 1 row; the first is line 28 of Umsatz.csv" in " ".join(refused.output.split())
    assert "more than the share 0.01, so nothing is taken in" in " ".join(refused.output.split())
    (listed,) = Path(lake.root / "imports").iterdir()
    assert "'=cmd" in listed.read_text(encoding="utf-8-sig")

    assert oj(*command, "--max-quarantined", "0.1").exit_code == 0
    assert len(lake.sales.weeks()) == 3


def test_an_import_needs_a_panel_file_and_files(tmp_path: Path) -> None:
    """One sentence says how to get them, and no lake is made."""
    result = oj("import", str(tmp_path), "--lake", str(tmp_path / "lake"))
    assert (result.exit_code, "is a folder without tables" in result.output) == (1, True)
    (tmp_path / "sales.csv").write_text("store,units\n")
    result = oj("import", str(tmp_path / "sales.csv"), "--lake", str(tmp_path / "lake"))
    assert (result.exit_code, "oj init" in result.output) == (1, True)
    assert not (tmp_path / "lake").exists()


def test_status_names_what_is_no_file(tmp_path: Path) -> None:
    """Links and folders in the inbox are not ignored in silence."""
    lake = shop_lake(tmp_path / "lake")
    Path(lake.inbox / "folder").mkdir()
    Path(lake.inbox / "link.csv").symlink_to("/etc/hostname")
    output = " ".join(oj("status", "--lake", str(lake.root)).output.split())
    assert "folder: is a folder, and is not read" in output
    assert "link.csv: is a link, and is not read" in output
