"""What every format gives."""

import pyarrow as pa

from forecasting.storage.formats.columns import TEXT, Fault, UnreadableFileError, no_text


def test_an_unreadable_file_says_why() -> None:
    """As a fault of a line, which becomes a row of the quarantine."""
    assert UnreadableFileError("not_utf8", "save it as UTF-8", 3).fault == Fault(3, "not_utf8", "save it as UTF-8")


def test_an_empty_value_is_an_empty_text() -> None:
    """Whatever the type of the column."""
    texts = no_text(pa.chunked_array([pa.array(["a", None], pa.string())]))
    assert (texts.type, texts.to_pylist()) == (TEXT, ["a", ""])
