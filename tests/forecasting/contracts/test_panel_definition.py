"""Tests of the panel definition: its rules, its JSON, and that nothing else names what the orange juice's holds."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecasting
from forecasting.contracts import schemas
from forecasting.contracts.errors import DataError, OptionError
from forecasting.contracts.panel_definition import (
    ORANGE_JUICE,
    Attribute,
    Covariate,
    Id,
    Key,
    PanelDefinition,
    in_order,
    readable,
)

PACKAGE = Path(forecasting.__file__).parent
AISLE_END = Covariate("aisle_end", "flag", "aisle end", "1 where the product stood at the end of an aisle, else 0")
TEMPERATURE = Covariate("temperature", "number", "temperature", "degrees Celsius, mean of the week")
# Where the words of the orange juice stand: its definition and data set, and the words of all trades.
ITS_OWN = re.compile(
    r"contracts/(panel_definition|orange_juice)\.py|pipeline/simulation\.py|core/(folds|trade_words)\.py"
)
WORDS = re.compile(r"\bdeals?\b|\bfeat\b|\bcartons?\b|\bounces?\b|dominick", re.IGNORECASE)


@pytest.mark.parametrize(
    ("role", "possible", "impossible"),
    [
        ("price", [0.01, 1e6], [0, -1, np.inf, np.nan]),
        ("flag", [0, 1], [0.5, 2, -1, np.nan]),
        ("share", [0, 0.5, 1], [-0.1, 1.1, np.inf, np.nan]),
        ("number", [-10.0, 0, 1e6], [np.inf, -np.inf, np.nan]),
    ],
)
def test_a_role_says_which_values_are_possible(role: str, possible: list[float], impossible: list[float]) -> None:
    """Empty values are never possible."""
    covariate = Covariate("x", role, "x", "x")  # type: ignore[arg-type]

    assert covariate.is_possible(pd.Series(possible)).all()
    assert not covariate.is_possible(pd.Series(impossible)).any()


def test_a_definition_is_rebuilt_from_json() -> None:
    """All of it, attributes and all."""
    definition = replace(ORANGE_JUICE, covariates=(*ORANGE_JUICE.covariates, AISLE_END, TEMPERATURE))

    assert PanelDefinition.from_dict(json.loads(json.dumps(definition.as_dict()))) == definition


@pytest.mark.parametrize("broken", [{}, {"covariates": [{"name": "x"}]}, {"name": 1, "covariates": None}])
def test_a_damaged_definition_is_one_sentence(broken: dict[str, object]) -> None:
    """The file is named, and the remedy."""
    with pytest.raises(DataError, match=r"cannot be read .*panel\.toml"):
        PanelDefinition.from_dict(broken)


@pytest.mark.parametrize("name", ["units", "week", "two words", "price", "1st", ""])
def test_a_covariate_needs_a_name_of_its_own(name: str) -> None:
    """Not that of another column, nor of another covariate, nor what is no identifier in SQL."""
    with pytest.raises(DataError, match="has covariates named"):
        replace(ORANGE_JUICE, covariates=(*ORANGE_JUICE.covariates, replace(AISLE_END, name=name)))


def test_an_unknown_role_is_refused() -> None:
    """Of the four roles one must be given."""
    with pytest.raises(DataError, match="has the role 'colour'; give it one of price, flag, share, number"):
        replace(AISLE_END, role="colour")  # type: ignore[arg-type]


def test_covariates_are_columns_of_every_table_that_holds_offers() -> None:
    """In the order of the definition, typed by role."""
    definition = replace(ORANGE_JUICE, covariates=(AISLE_END, TEMPERATURE))

    assert schemas.promotions(definition).columns == [*schemas.CELL, "aisle_end", "temperature"]
    assert schemas.inbox_columns(definition, "date") == [
        "store",
        "product",
        "date",
        "units",
        "aisle_end",
        "temperature",
    ]
    for table in (schemas.report, schemas.order_sheet, schemas.announced_promotions, schemas.quarantine):
        assert {"aisle_end", "temperature"} <= set(table(definition).columns)
        assert not {"price", "deal"} & set(table(definition).columns)
    assert str(schemas.promotions(definition).schema.field("aisle_end").type) == "int8"


def sources() -> list[Path]:
    """The modules that ask for covariates by definition and role."""
    rooms = ("contracts", "core", "models", "storage", "compute", "pipeline", "presentation", "cli")
    found = [path for room in rooms for path in sorted((PACKAGE / room).rglob("*.py"))]
    return [path for path in found if not ITS_OWN.fullmatch(str(path.relative_to(PACKAGE)))]


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_other_module_names_the_orange_juice(path: Path) -> None:
    """Neither its covariates, nor its unit, nor its chain."""
    lines = path.read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if WORDS.search(line)] == []


def test_an_id_is_read_as_its_key_says() -> None:
    """Text stays as it is written; a number is a number, or refused in one sentence."""
    text, number = Key("SKU", "SKUs", "text"), Key("shop", "shops", "number")
    assert [text.parse(each) for each in ("007", " a", "")] == ["007", " a", ""]
    assert number.parse("7") == 7
    with pytest.raises(OptionError, match="shop=seven is no number"):
        number.parse("seven")


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (7, "7"),
        ("007", "007"),
        ("a\nb\x1b[31m\x85", r"a\nb\x1b[31m\x85"),
        ("São 🍊\u200f", "São 🍊\u200f"),
        ("\\n", "\\n"),
        ("a\u202eb", r"a\u202eb"),
    ],
)
def test_an_id_is_shown_as_it_is_but_for_control_characters(key: Id, shown: str) -> None:
    """They could act on a terminal."""
    assert readable(key) == shown
    assert ORANGE_JUICE.named((key, 2)) == f"store {shown} brand 2"


def test_ids_have_an_order() -> None:
    """Numbers by size, texts by letter."""
    assert in_order({10, 9}) == (9, 10)
    assert in_order({"10", "9", "A", "a"}) == ("10", "9", "A", "a")


@pytest.mark.parametrize("name", ["name", "store_name", "price", "income", "two words", ""])
def test_an_attribute_needs_a_name_of_its_own(name: str) -> None:
    """Not that of another column, of a covariate, or of an attribute of the other key."""
    with pytest.raises(DataError, match="has attributes named|has covariates named"):
        replace(ORANGE_JUICE, product_attributes=(Attribute(name, "text", "x"),))


def test_an_attribute_has_a_kind() -> None:
    """Of three."""
    with pytest.raises(DataError, match="has kind='date'; give it one of whole, decimal, text"):
        Attribute("x", "date", "x")  # type: ignore[arg-type]


def test_the_category_is_an_attribute_of_products() -> None:
    """Which layouts may read, beside their names."""
    with pytest.raises(DataError, match="category='income', which is no product attribute"):
        replace(ORANGE_JUICE, category="income")
    definition = replace(ORANGE_JUICE, product_attributes=(Attribute("family", "text", "x"),), category="family")
    assert [each.name for each in definition.described("product")] == ["product_name", "family"]
