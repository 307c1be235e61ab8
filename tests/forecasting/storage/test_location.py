"""Places by path and by URL: how they are named, and which names are refused."""

from pathlib import Path

import pytest

from forecasting.contracts.errors import OptionError
from forecasting.storage.location import Location, local_file, open_location

SECRET = "hunter2"  # noqa: S105 - what must not be shown


@pytest.mark.parametrize("text", ["lake", "/srv/lake", "a folder/with: signs"])
def test_a_path_is_a_folder(text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is shown as it was given, and opened by any program as an absolute path."""
    monkeypatch.chdir(tmp_path)
    place = open_location(text)
    assert str(place) == text
    assert str(place / "sales" / "x.parquet") == f"{text}/sales/x.parquet"
    assert Path(place / "sales") == Path(text).absolute() / "sales"
    assert (place / "sales").address == str(Path(text).absolute() / "sales")
    assert place == open_location(Path(text))


def test_a_url_names_a_bucket_and_a_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no path, and nothing is asked of it before it is used."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    place = open_location("s3://bucket/some/prefix/") / "published" / "1992-04-16" / "forecast.parquet"
    assert str(place) == place.address == "s3://bucket/some/prefix/published/1992-04-16/forecast.parquet"
    assert (place.name, place.stem, place.suffix) == ("forecast.parquet", "forecast", ".parquet")
    assert str(place.parent.parent) == "s3://bucket/some/prefix/published"
    assert place.path is None
    with pytest.raises(TypeError, match="in a bucket"):
        Path(place)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://host/lake", "is of no known kind"),
        (f"s3://user:{SECRET}@bucket/lake", "has more in it than a bucket and a prefix"),
        (f"az://container/lake?sig={SECRET}", "has more in it"),
        ("gs://", "names no bucket"),
    ],
)
def test_other_urls_are_refused(url: str, problem: str) -> None:
    """In one sentence that shows no secret."""
    with pytest.raises(OptionError, match=problem) as raised:
        open_location(url)
    assert SECRET not in str(raised.value)


def test_a_file_url_is_a_path(tmp_path: Path) -> None:
    """As other programs write it."""
    assert open_location(f"file://{tmp_path}").path == tmp_path


def test_a_file_in_no_lake_is_written_beside_others(tmp_path: Path) -> None:
    """Nothing else is left in its folder."""
    place = local_file(tmp_path / "orders.csv")
    place.write_text("ü")
    assert place.read_text() == "ü"
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]


def test_files_are_those_of_an_ending_without_hidden_ones(tmp_path: Path) -> None:
    """By name."""
    place = open_location(tmp_path)
    for name in ("b.json", "a.json", ".c.json", "d.txt"):
        (tmp_path / name).touch()
    (tmp_path / "e.json").mkdir()
    found: list[Location] = place.files(".json")
    assert [each.name for each in found] == ["a.json", "b.json"]
