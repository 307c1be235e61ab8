"""The fast reader of text files gives what the exact one gives, or nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts.layout import Layout
from forecasting.storage.formats import text
from forecasting.storage.formats.columns import FileColumns
from forecasting.storage.formats.plain_text import read_plain

LAYOUT = Layout("plain", {"date": ("week",)})
NAMES = ["store", "week", "units"]


def plainly(body: bytes) -> FileColumns | None:
    places = {name: place for place, name in enumerate(NAMES)}
    return read_plain(b"store,week,units\n" + body, LAYOUT, len(NAMES), places, 1)


_values = st.lists(st.sampled_from(["a", "1", "", '"a"', '"a,b"', '"say ""hi"""', '5"', '"a"b', '"', "é", "\0"]))
_bodies = st.lists(_values.map(",".join), max_size=4).map("\n".join)


@settings(max_examples=300, deadline=None)
@given(st.one_of(_bodies, st.lists(_values.filter(lambda row: len(row) == len(NAMES)).map(",".join)).map("\n".join)))
def test_it_agrees_with_the_exact_reader(body: str) -> None:
    """Whatever quotes, delimiters and line ends a file has."""
    content = body.encode()
    found = plainly(content)
    if found:
        exact = text.read(b"store,week,units\n" + content, LAYOUT, NAMES, "UTC", 10**6, lambda _: None)
        assert not exact.faults
        assert found.lines.to_pylist() == exact.lines.to_pylist()
        assert [found.texts[name].to_pylist() for name in NAMES] == [exact.texts[name].to_pylist() for name in NAMES]


def test_quoted_values_within_a_line_are_plain() -> None:
    """As spreadsheet programs and R write them."""
    found = plainly(b'"a, b","x",1\r\n"say ""hi""","y",2\r\n')
    assert found
    assert found.texts["store"].to_pylist() == ["a, b", 'say "hi"']


def test_what_is_not_one_row_a_line_is_left_to_the_exact_reader() -> None:
    """Cut rows, empty lines, values over several lines, lone carriage returns, stray quotes, a cut end."""
    for body in (
        b"a,x\n",
        b"a,x,1\n\nb,y,2\n",
        b'"a\nb",x,1\n',
        b"a,x,1\rb,y,2\r",
        b'"a"b,x,1\n',
        b"a,x,1\nb,y,",
        b",,\n",
        b"",
    ):
        assert plainly(body) is None
