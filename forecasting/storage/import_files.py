"""The files of an import: named one by one, as a folder, or by a pattern."""

from collections.abc import Iterable
from pathlib import Path

from forecasting.contracts.errors import OptionError

# How the names of tables end.
TABLES = {".csv", ".tsv", ".txt", ".parquet", ".pq", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}


def find_files(given: Iterable[Path]) -> list[Path]:
    """Return the files that are meant, each once, in the order of the arguments; those of a folder or pattern by name.

    Args:
        given: files, folders (whose tables are meant, by the end of their names, without hidden ones and those of
            folders in it), and patterns such as `sales/2024-*.csv`.

    Raises:
        OptionError: an argument names no file.
    """
    found = [file for path in given for file in _files_of(path)]
    return list(dict.fromkeys(found))


def _files_of(path: Path) -> list[Path]:
    try:
        if path.is_dir():
            files = sorted(each for each in path.glob("[!.]*") if each.is_file() and _is_table(each))
        elif path.exists():
            files = [path]
        else:
            start = Path(path.anchor)
            matches = start.glob(str(path.relative_to(start)))
            files = sorted(each for each in matches if each.is_file() and not each.name.startswith("."))
    except (OSError, ValueError) as error:  # a pattern may be none
        raise OptionError(str(path), f"cannot be listed ({error})", "let this user read it") from error
    if not files:
        problem = "is a folder without tables" if path.is_dir() else "does not exist"
        raise OptionError(str(path), problem, "name files, a folder or a pattern such as 'sales/*.csv'")
    return files


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in TABLES
