"""Places in a lake, by path or URL."""

from pathlib import Path

import pytest

from forecasting.contracts.errors import OptionError
from forecasting.storage.location import local_file, open_location


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the library of S3 and Azure wants before it opens a bucket."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")


def test_a_key_is_used_as_a_path_is(tmp_path: Path) -> None:
    """Names are joined, taken apart, and compared."""
    root = open_location(tmp_path)
    place = root / "published" / "1992-04-16" / "forecast.parquet"
    assert (place.key, place.name, place.stem, place.suffix) == (
        "published/1992-04-16/forecast.parquet",
        "forecast.parquet",
        "forecast",
        ".parquet",
    )
    assert place.parent.parent.parent == root
    assert place.parent.name == "1992-04-16"
    assert open_location(tmp_path) / "published" == place.parent.parent
    assert place.path == tmp_path / "published/1992-04-16/forecast.parquet"
    assert Path(place) == place.path


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize("url", ["s3://bucket/some/prefix", "az://container/prefix", "S3://bucket/prefix/"])
def test_a_url_names_a_bucket(url: str) -> None:
    """Its places have no path; they show as URLs."""
    place = open_location(url) / "a" / "b.csv"
    assert place.path is None
    assert str(place) == place.address == url.replace("S3", "s3").rstrip("/") + "/a/b.csv"
    with pytest.raises(TypeError, match="in a bucket, not in a folder"):
        Path(place)


def test_a_folder_is_shown_as_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative one stays relative in what people read, and is the same folder wherever the process goes."""
    monkeypatch.chdir(tmp_path)
    place = open_location("lake") / "a.csv"
    assert str(place) == "lake/a.csv"
    assert place.address == str(tmp_path / "lake" / "a.csv")
    monkeypatch.chdir("/")
    place.write_text("ä")
    assert (tmp_path / "lake" / "a.csv").read_text() == place.read_text() == "ä"


def test_a_url_of_a_file_names_a_folder(tmp_path: Path) -> None:
    """`file://` is a path."""
    assert open_location(f"file://{tmp_path}").path == tmp_path


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://host/lake", "is of no known kind"),
        ("https://account.blob.core.windows.net/lake", "is of no known kind"),
        ("s3://", "names no bucket"),
        ("az:///prefix", "cannot be used|names no bucket"),
        ("s3://user:password@bucket/lake", "has more in it than a bucket and a prefix"),
        ("az://container/lake?sig=password", "has more in it than a bucket and a prefix"),
    ],
)
def test_a_url_that_names_no_bucket_is_an_error(url: str, problem: str) -> None:
    """With a remedy, and without the password that may stand in it."""
    with pytest.raises(OptionError, match=problem) as raised:
        open_location(url)
    assert "s3://bucket/prefix" in str(raised.value)
    assert "password" not in str(raised.value)


def test_a_file_that_is_in_no_lake(tmp_path: Path) -> None:
    """It is a place too."""
    (tmp_path / "rows.csv").write_text("a")
    assert local_file(tmp_path / "rows.csv").read_text() == "a"


def test_files_of_several_kinds_are_read_and_written_alike(root: str) -> None:
    """Text, bytes, creation, stamps and removal, on every kind of storage."""
    place = open_location(root) / "reports" / "a.txt"
    place.write_text("Müller")
    assert place.read_text() == "Müller"
    assert place.exists()
    assert not place.create(b"again")
    assert (place.parent / "b.txt").create(b"new")
    assert [file.name for file in place.parent.files(".txt")] == ["a.txt", "b.txt"]
    assert place.stamp()
    place.parent.delete()
    assert place.stamp() is None
