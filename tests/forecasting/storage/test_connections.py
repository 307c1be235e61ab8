"""Secrets by name, from a file that its owner alone can read."""

import re
import traceback
from pathlib import Path

import pytest

from forecasting.contracts.errors import OptionError
from forecasting.storage.connections import connection, connections, oj_home
from tests.sinks import write_connections

URL = "postgresql://oj:s3cret@db/oj"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OJ_HOME", str(tmp_path))


def test_a_name_stands_for_one_url_or_several(tmp_path: Path) -> None:
    """Every URL as written; a missing entry has none, and is refused by name where one URL is needed."""
    write_connections(tmp_path, f'warehouse = "{URL}"\nnotify = ["json://a", "json://b"]\n')
    assert connection("warehouse") == URL
    assert connections("warehouse") == [URL]
    assert connections("notify") == ["json://a", "json://b"]
    assert connections("other") == []
    with pytest.raises(
        OptionError, match=r'connections.toml has no entry of this name: other; write one, as other = "'
    ):
        connection("other")
    with pytest.raises(OptionError, match=r"names 2 URLs: notify"):
        connection("notify")


def test_without_the_file_there_are_no_secrets() -> None:
    """A new installation has none."""
    assert connections("notify") == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The remedy is in the sentence."""
    path = write_connections(tmp_path, f'warehouse = "{URL}"', mode)
    with pytest.raises(
        OptionError, match=f"can be read by others .mode {mode:04o}.; chmod 600 {re.escape(str(path))}."
    ):
        connection("warehouse")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f'a = "b"\nwarehouse = "{URL}\n', r"is not TOML \(line 2\)"),
        (f"warehouse = {URL}", r"is not TOML \(line 1\)"),
        (f'[warehouse]\nurl = "{URL}"', "does not give warehouse as a URL"),
        (f'warehouse = ["{URL}", 7]', "does not give warehouse as a URL"),
        ('warehouse = ""', "does not give warehouse as a URL"),
    ],
    ids=["open string", "no string", "nested", "mixed list", "empty"],
)
def test_a_file_of_another_form_is_refused_without_quoting_it(tmp_path: Path, text: str, problem: str) -> None:
    """Neither the sentence nor the traceback holds a part of the secret."""
    write_connections(tmp_path, text)
    with pytest.raises(OptionError, match=problem) as refused:
        connection("warehouse")
    announced = "".join(traceback.format_exception(refused.value)) + repr(refused.value)
    assert "s3cret" not in announced


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """One sentence, as for any other form."""
    write_connections(tmp_path, "").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OptionError, match="is not TOML; write lines of the form"):
        connections("notify")


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    """The message has the system's own reason."""
    (tmp_path / "connections.toml").mkdir()
    with pytest.raises(OptionError, match=r"cannot be read \(Is a directory\)"):
        connections("notify")


def test_the_home_is_in_the_users_home_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """`~/.oj`, or OJ_HOME."""
    monkeypatch.setenv("OJ_HOME", "~/elsewhere")
    assert oj_home() == Path.home() / "elsewhere"
    monkeypatch.delenv("OJ_HOME")
    assert oj_home() == Path.home() / ".oj"
