"""An import takes files, folders and patterns; an argument that means nothing is an error."""

from pathlib import Path

import pytest

from forecasting.contracts.errors import OptionError
from forecasting.storage.import_files import find_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.csv", "a.csv", ".hidden.csv", "c.xlsx", "README.md", "2023/d.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


def test_a_folder_means_its_tables(folder: Path) -> None:
    """By name; hidden ones are still being written, and folders in it are named by themselves."""
    assert [file.name for file in find_files([folder])] == ["a.csv", "b.csv", "c.xlsx"]


def test_a_pattern_means_what_it_matches(folder: Path) -> None:
    """Where no shell has resolved it; through folders with `**`."""
    assert [file.name for file in find_files([folder / "*.csv"])] == ["a.csv", "b.csv"]
    assert [file.name for file in find_files([folder / "**" / "d.csv"])] == ["d.csv"]


def test_a_file_is_read_once(folder: Path) -> None:
    """However often it is named; the order of the arguments stays."""
    assert [file.name for file in find_files([folder / "c.xlsx", folder, folder / "a.csv"])] == [
        "c.xlsx",
        "a.csv",
        "b.csv",
    ]


def test_a_name_with_brackets_is_a_file_first(folder: Path) -> None:
    """A file of that name exists, so it is no pattern."""
    (folder / "week [1].csv").write_text("x")
    assert [file.name for file in find_files([folder / "week [1].csv"])] == ["week [1].csv"]


@pytest.mark.parametrize(
    ("name", "says"), [("none.csv", "does not exist"), ("*.txt", "does not exist"), ("empty", "folder without tables")]
)
def test_what_means_no_file_is_refused(folder: Path, name: str, says: str) -> None:
    """The argument is named."""
    (folder / "empty").mkdir()
    with pytest.raises(OptionError, match=says):
        find_files([folder / name])
