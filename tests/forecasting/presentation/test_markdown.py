"""Names from outside stay text, whatever they are made of."""

import html
import re

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from forecasting.presentation.markdown import LONGEST_NAME, WORD_JOINER, block, code, facts, name, table, text

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = (
    "**Evil** _x_ ~~y~~ <img src=x onerror=alert(1)> <!-- | [click](http://evil.example) ![a](b) `x` \\ &amp; "
    "https://evil.example www.evil.example me@evil.example 1. 2) # - + > $x$"
)
names = st.one_of(
    st.text(),
    st.text(alphabet="|\\`*_[]()<>!#&;:~-+.=1a \n@/w"),
    st.sampled_from([HOSTILE, "- a", "1. a", "# a", "> a", "    a", "---", "===", "~~~", "```", "\\", "|", ""]),
)


def one_line(value: str) -> str:
    """What is left of a name on a page: spaces do not count there."""
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", value).strip()


@given(names, names)
@example(HOSTILE, "\\|")
def test_a_name_is_never_markup(first: str, second: str) -> None:
    """In a cell, in a line and in a list a name is read back as itself, and nothing but text is made of it."""
    for source in (
        table(["a", "b"], [(text(first), text(second))]),
        f"- {text(first)}\n- {text(second)}",
        f"{text(first)}\n\n{text(second)}",
    ):
        inline = [token for token in READER.parse(source) if token.type == "inline"][-2:]
        kinds = {child.type for token in inline for child in token.children or []}
        assert kinds <= {"text", "text_special"}, source
        read = ["".join(child.content for child in token.children or []).replace(WORD_JOINER, "") for token in inline]
        expected = [one_line(value).replace(WORD_JOINER, "") for value in (first, second)]
        assert [one_line(value) for value in read if value] == [value for value in expected if value]


@given(names)
def test_code_is_read_back_as_it_is(value: str) -> None:
    """A path in a cell, with pipes and backticks: it stays one piece of code."""
    source = table(["a", "b"], [(code(value), "end")])
    cell = [token for token in READER.parse(source) if token.type == "inline"][-2]
    (only,) = cell.children or []
    assert only.type == "code_inline"
    assert one_line(only.content).replace("\\", "") == one_line(value).replace("\\", "")


@given(st.text())
def test_no_address_is_left_whole(value: str) -> None:
    """Renderers make links of addresses in plain text too: none is left that they would find."""
    shown = text(f"{value}https://evil.example{value}www.evil.example{value}me@evil.example")
    plain = html.unescape(shown.replace("\\", ""))
    assert not re.search(r"https?://[-.\w]|www\.[-.\w]|[-.\w+]@[-\w]", plain, flags=re.IGNORECASE)


@given(names)
def test_a_block_cannot_be_left(value: str) -> None:
    """Lines of code with fences in them are one block."""
    tokens = READER.parse(block("sh", value))
    assert [token.type for token in tokens] == ["fence"]


def test_a_long_name_is_shortened() -> None:
    """It would push the other columns off the page."""
    assert len(name("word " * 100).replace("\\", "")) <= LONGEST_NAME
    assert name("Minute Maid 64 oz") == "Minute Maid 64 oz"


def test_facts_are_a_table_with_a_head() -> None:
    """A table must have a head: it is the first fact."""
    assert facts([("a", "1"), ("b", "2")]) == "| a | 1 |\n| --- | --- |\n| **b** | 2 |"
