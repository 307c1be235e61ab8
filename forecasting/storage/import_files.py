"""The files of an import: named one by one, as a folder, or by a pattern."""

import glob
from collections.abc import Iterable
from pathlib import Path

from forecasting.contracts.errors import OptionError


def find_files(given: Iterable[Path]) -> list[Path]:
    """Return the files that are meant, each once, in the order of the arguments; those of a folder or pattern by name.

    Args:
        given: files, folders (whose files are meant, without hidden ones and those of folders in it), and patterns
            such as `sales/2024-*.csv`.

    Raises:
        OptionError: an argument names no file.
    """
    found = [file for path in given for file in _files_of(path)]
    return list(dict.fromkeys(found))


def _files_of(path: Path) -> list[Path]:
    try:
        if path.is_dir():
            files = sorted(each for each in path.glob("[!.]*") if each.is_file())
        elif path.exists():
            files = [path]
        else:
            files = sorted(each for name in glob.glob(str(path), recursive=True) if (each := Path(name)).is_file())
    except OSError as error:
        raise OptionError(str(path), f"cannot be listed ({error.strerror})", "let this user read it") from error
    if not files:
        problem = "is a folder without files" if path.is_dir() else "does not exist"
        raise OptionError(str(path), problem, "name files, a folder or a pattern such as 'sales/*.csv'")
    return files
