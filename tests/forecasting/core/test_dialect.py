"""Encoding, delimiter and header of files nobody has declared."""

import pytest

from forecasting.contracts.errors import DataError
from forecasting.core.dialect import declared_delimiter, detect_delimiter, detect_encoding, find_header

DATA = ["101", "1", "2024-01-01", "30", "2.14"]
NAMES = ["store", "brand", "week", "units", "price"]


@pytest.mark.parametrize(
    ("text", "written", "found"),
    [
        ("store,units\nKöln,3\n", "utf-8", "utf-8"),
        ("store,units\nKöln,3\n", "utf-8-sig", "utf-8-sig"),
        ("store\tunits\nKöln\t3\n", "utf-16", "utf-16"),
        ("store\tunits\nKöln\t3\n", "utf-16-le", "utf-16-le"),
        ("store\tunits\nKöln\t3\n", "utf-16-be", "utf-16-be"),
        ("Filiale;Menge\nKöln;3\nGroß-Gerau;4\n", "cp1252", "cp1252"),
        ("sklep;ilość\nŁódź;3\nGdańsk;4\n", "cp1250", "cp1250"),
        ("store,units\nМосква,3\nКазань,5\nНовосибирск,7\n" * 9, "cp1251", "cp1251"),
        ("store,units\n1,3\n", "ascii", "ascii"),
    ],
)
def test_encodings(text: str, written: str, found: str) -> None:
    """By mark, by validity, else by words."""
    assert detect_encoding([text.encode(written)], is_whole=True) == found


def test_a_cut_character_at_the_end_of_a_sample_is_no_other_encoding() -> None:
    """Only the beginning of a large file is looked at."""
    cut = "store,Köl".encode() + b"n" + "ö".encode()[:1]
    assert detect_encoding([cut], is_whole=False) == "utf-8"
    assert detect_encoding([b"store", "Köln".encode("cp1252")], is_whole=False) == "cp1252"


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b,c\n1,2,3\n4,5,6\n", ","),
        ("a;b;c\n1;2,5;3,5\n4;5,1;6,7\n", ";"),
        ("a\tb\tc\n1,5\t2\t3,1\n", "\t"),
        ("a|b|c\n1|2|3\n", "|"),
        ("sep=;\na;b\n1;2,5\n", ";"),
        ('"a, b";c\n"1, 2";3\n', ";"),
    ],
)
def test_delimiters(text: str, delimiter: str) -> None:
    """Decimal commas and quoted commas mislead nobody; a `sep=` line decides."""
    assert detect_delimiter(text) == delimiter


def test_a_declared_delimiter() -> None:
    """As spreadsheets write it, with or without quotes."""
    assert declared_delimiter('"sep=|"') == "|"
    assert declared_delimiter("sep=\\t") == "\t"
    assert declared_delimiter("store,units") == ""


def test_title_rows_are_passed_over() -> None:
    """Also those that a spreadsheet pads with delimiters, comments, and empty lines."""
    titles = [
        ["Weekly sales report", "", "", "", ""],
        ["printed 2024-03-01", "", "", "", ""],
        [],
        ["# 2024-01-01", "v2"],
    ]
    found = find_header([*titles, NAMES, *[DATA] * 5], "x.csv")
    assert (found.place, found.names, found.second) == (4, tuple(NAMES), ())


def test_a_header_of_two_rows() -> None:
    """Names below groups are the header; units below names are passed over."""
    groups = ["key", "", "", "facts", ""]
    assert find_header([groups, NAMES, *[DATA] * 5], "x.csv").place == 1
    units = ["", "", "yyyy-mm-dd", "pcs", "EUR"]
    found = find_header([NAMES, units, *[DATA] * 5], "x.csv")
    assert (found.place, found.second) == (0, tuple(units))


def test_names_may_be_numbers_or_lacking() -> None:
    """Price look-up codes are names; a row name has none."""
    names = ["Date", "4046", "4225", "region"]
    rows = [["0", "2024-01-01", "3.5", "4.5", "Albany"]] * 3
    assert find_header([names, *rows], "x.csv").names == tuple(names)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "x.csv is empty"),
        ([["hello"], ["world"]], "only one column"),
        ([DATA, DATA], "has no header: its first row is 101, 1"),
        ([["a", "b"], ["c", "d"]] and [["1", "2"], ["3", "4"]], "has no header"),
        ([["store", "units", "units"], ["1", "2", "3"]], "names 'units' twice"),
        ([["store", "2024-01-01", "2024-01-08", "2024-01-15"], ["1", "2", "3", "4"]], "dates in columns"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(rows: list[list[str]], message: str) -> None:
    """The sentence names the file and what is wrong."""
    with pytest.raises(DataError, match=message):
        find_header(rows, "x.csv")
