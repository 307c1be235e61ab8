"""Buckets: their errors. What they promise is tested with all kinds of storage."""

import traceback
from collections.abc import Callable
from typing import Any

import obstore
import pytest

from forecasting.storage.backends import Bucket
from tests.ports import free_port
from tests.roots import Lacking, Roots

SECRET = "c2VjcmV0"  # noqa: S105 - to be looked for


@pytest.fixture(params=["s3", "azure"])
def bucket(request: pytest.FixtureRequest, roots: Roots, needs_system: Callable[[str], None]) -> Bucket:
    """An empty prefix of a bucket."""
    try:
        return Bucket(roots.make(request.param))
    except Lacking as lacking:
        needs_system(str(lacking))
        raise


def test_a_bucket_has_no_path(bucket: Bucket) -> None:
    """Programs that read files cannot read it; its URL names it, without credentials."""
    assert bucket.path("a") is None
    assert bucket.url.startswith(("s3://lake/", "az://lake/"))


def test_a_name_that_no_object_can_have_is_an_error_of_the_system(bucket: Bucket) -> None:
    """In one sentence with the name."""
    with pytest.raises(OSError, match="is no name that an object can have"):
        bucket.put("inbox/tab\there.csv", b"")


def test_an_object_that_is_replaced_while_it_is_read_is_an_error(bucket: Bucket) -> None:
    """It is not read on in another content: that would be a mixture."""
    bucket.put("file", b"o" * 3_000_000)
    with bucket.open("file") as file:
        assert file.read(1) == b"o"
        bucket.put("file", b"n" * 3_000_000)
        with pytest.raises(OSError, match="was replaced while it was read; read it again"):
            file.read()


def test_a_large_object_is_uploaded_in_parts(bucket: Bucket) -> None:
    """Also where what is written at a time is larger or smaller than a part."""
    with bucket.writer("large") as file:
        for size in (1, 20_000_000, 10):
            file.write(b"x" * size)
            file.tell()
    found = bucket.find("large")
    assert found
    assert found.size == 20_000_011


def test_an_empty_writer_makes_an_empty_object(bucket: Bucket) -> None:
    """As a folder would."""
    with bucket.writer("empty"):
        pass
    assert bucket.get("empty") == b""


def test_a_store_that_does_not_answer_is_an_error_without_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence that names the object; neither it nor its traceback holds a credential."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", SECRET)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    bucket = Bucket("s3://lake/prefix")
    with pytest.raises(OSError, match=r"the object store did not answer.*s3://lake/prefix") as raised:
        bucket.get("a")
    assert "\n" not in str(raised.value.strerror)
    assert SECRET not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("bucket", ["azure"], indirect=True)  # moto's server takes all credentials
def test_refused_credentials_are_a_permission_error(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, without them."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", SECRET)
    with pytest.raises(PermissionError, match="refuses these credentials") as raised:
        Bucket(bucket.url).get("a")
    assert SECRET not in str(raised.value)


def test_an_object_that_is_replaced_while_it_is_moved_stays(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its sender has put there meanwhile is not removed."""
    copy = obstore.copy

    def copy_while_sent_again(*args: Any) -> None:
        copy(*args)
        bucket.put("inbox/a.csv", b"new")

    monkeypatch.setattr(obstore, "copy", copy_while_sent_again)
    bucket.put("inbox/a.csv", b"old")
    with pytest.raises(OSError, match="was replaced while it was moved"):
        bucket.move("inbox/a.csv", "inbox/.taken/a.csv")
    assert bucket.get("inbox/a.csv") == b"new"


def test_tidying_leaves_all_objects(bucket: Bucket) -> None:
    """Parts of unfinished uploads are no objects; rules of the bucket remove them."""
    bucket.put("a", b"")
    bucket.tidy()
    assert [entry.key for entry in bucket.walk("")] == ["a"]


def test_two_of_one_url_are_one(bucket: Bucket) -> None:
    """Locations are compared by their backends."""
    assert Bucket(bucket.url) == bucket
    assert len({bucket, Bucket(bucket.url), Bucket(bucket.url + "/below")}) == 2
