"""The home folder of the service, and the secrets in it: URLs with passwords, by name.

`connections.toml` is a flat table of `name = "url"` or `name = ["url", "url"]` that only its owner may read. Only the
names appear in parameters, logs and messages; a URL is read where it is used, and never shown.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from forecasting.contracts.errors import OptionError


def oj_home() -> Path:
    """Return the folder of the service, its logs and its secrets: OJ_HOME, else `~/.oj`."""
    return Path(os.environ.get("OJ_HOME") or "~/.oj").expanduser().absolute()


def connections_path() -> Path:
    """Return the path of the secrets, whether the file exists or not."""
    return oj_home() / "connections.toml"


def connection(name: str) -> str:
    """Return the one URL that `name` stands for.

    Raises:
        OptionError: there is no such entry, it is not one URL, or the file cannot be used.
    """
    found = connections(name)
    if len(found) != 1:
        problem = f"names {len(found)} URLs" if found else "has no entry of this name"
        raise OptionError(str(connections_path()), f"{problem}: {name}", f'write one, as {name} = "..."') from None
    return found[0]


def connections(name: str) -> list[str]:
    """Return every URL that `name` stands for; none where there is no such entry, or no file.

    Raises:
        OptionError: others can read the file, or it is not a table of URLs. The error holds nothing of its content.
    """
    entry = _table().get(name, [])
    urls = [entry] if isinstance(entry, str) else entry
    if not isinstance(urls, list) or not all(isinstance(url, str) and url for url in urls):
        raise OptionError(
            str(connections_path()),
            f"does not give {name} as a URL or as a list of them",
            f'write {name} = "..." or {name} = ["...", "..."]',
        )
    return urls


def _table() -> Mapping[str, object]:
    path = connections_path()
    try:
        with path.open("rb") as file:
            # The mode of the open file, not of its path, which may name another file by now.
            mode = os.fstat(file.fileno()).st_mode & 0o777
            if mode & 0o077:
                raise OptionError(str(path), f"can be read by others (mode {mode:04o})", f"chmod 600 {path}")
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise OptionError(
            str(path), f"cannot be read ({error.strerror})", f"chown it to you, chmod 600 {path}"
        ) from None
    except ValueError as error:  # not TOML, or not UTF-8; the parser's message may quote the content
        where = re.search(r"line \d+", str(error))
        place = f" ({where[0]})" if where else ""
        raise OptionError(str(path), f"is not TOML{place}", 'write lines of the form name = "url"') from None
