"""What was printed, as tests look at it, and texts that are hard to print."""

from io import StringIO

MARKUP = ["[red]x[/red]", "[/]", "[bold", "[link=http://a]b[/link]"]


def text_of(printed: StringIO) -> str:
    """All that was printed; no line is too wide."""
    text = printed.getvalue()
    assert max(len(line) for line in text.splitlines()) <= 80, text
    return text


def joined(text: str) -> str:
    """Without the breaks and columns that a narrow terminal makes."""
    return "".join(text.split())
