"""An import takes in what the inbox would, accounts for every row, and changes nothing where too much is wrong."""

import os
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from forecasting.clock import now
from forecasting.contracts.errors import DataError, OptionError
from forecasting.contracts.panel_definition import Attribute
from forecasting.contracts.schemas import SERIES
from forecasting.contracts.spec import GateSpec
from forecasting.pipeline import ingest
from forecasting.pipeline.ingest import accept_override
from forecasting.pipeline.panel_import import ImportResult, import_panel
from forecasting.storage.lake import Lake
from tests.shop import (
    HEADER,
    PLAN_HEADER,
    PRODUCTS,
    SALES,
    SHOP,
    STORES,
    shop_lake,
    sold,
    week,
    write_plan,
    write_sales,
)

LINE = "007;x;02.01.2023;2,5;1,5\n"


@pytest.fixture
def shop(tmp_path: Path) -> Lake:
    return shop_lake(tmp_path / "lake")


def add(lake: Lake, *files: Path, **options: float) -> ImportResult:
    return import_panel(lake, files, now(), **options)  # type: ignore[arg-type]


def written(lake: Lake, text: str, name: str = "Umsatz.csv") -> Path:
    path = Path(lake.root).parent / name
    path.write_text(text)
    return path


def state(lake: Lake) -> list[tuple[str, bytes]]:
    return [(str(path), path.read_bytes()) for path in sorted(Path(lake.root).rglob("*")) if path.is_file()]


def test_a_history_fills_an_empty_lake(shop: Lake) -> None:
    """Ids as they are written, units with decimals, left out weeks as 0, prices announced from the beginning."""
    found = add(shop, write_sales(Path(shop.root).parent / "Umsatz.csv", range(10)))
    assert (found.rows_in, found.accepted, found.quarantined, found.unsold) == (85, 85, 0, 5)
    assert (found.series, found.new_stores, found.new_products) == (9, 3, 3)
    assert (found.first, found.last) == (week(0), week(9))
    sales = shop.sales.read().set_index([*SERIES, "week"])["units"]
    assert sales.loc[STORES[2], PRODUCTS[0], pd.Timestamp(week(3))] == sold(3, 2, 0)
    assert sales.loc[STORES[2], PRODUCTS[2]].tolist() == [sold(number, 2, 2) for number in range(10)]
    assert shop.promotions.weeks() == [week(0)]
    assert len(shop.promotions.read()) == 85


def test_plans_may_come_with_the_sales_or_after_them(shop: Lake) -> None:
    """In a layout of their own; they count as announced from the beginning too."""
    sales = write_sales(Path(shop.root).parent / "Umsatz.csv", range(4))
    plan = write_plan(Path(shop.root).parent / "Plan.csv", range(4, 6))
    add(shop, sales, plan)
    assert sorted(shop.promotions.read()["week"].dt.date.unique()) == [week(number) for number in range(6)]
    later = add(shop, write_plan(Path(shop.root).parent / "Plan 2.csv", range(6, 7)))
    assert (later.accepted, later.sales, later.first) == (9, 0, None)
    assert shop.promotions.weeks() == [week(0)]
    assert shop.promotions.read()["week"].max() == pd.Timestamp(week(6))


def test_later_and_earlier_weeks_and_corrections_are_added(shop: Lake) -> None:
    """To a lake that has sales; both values of a correction are kept."""
    add(shop, write_sales(Path(shop.root).parent / "Umsatz.csv", range(5, 8)))
    add(shop, write_sales(Path(shop.root).parent / "Umsatz alt.csv", range(5)))
    add(shop, write_sales(Path(shop.root).parent / "Umsatz neu.csv", range(8, 9)))
    assert shop.sales.weeks() == [week(number) for number in range(9)]
    again = add(shop, written(shop, HEADER + f"{STORES[0]};{PRODUCTS[0]};{week(8):%d.%m.%Y};2,5;99,5\n"))
    assert (again.accepted, again.corrected) == (1, 1)
    corrections = shop.corrections.read(week(8))
    assert corrections[["units_before", "units_after"]].to_numpy().tolist() == [[sold(8, 0, 0), 99.5]]


def test_what_was_imported_is_a_duplicate_when_it_comes_again(shop: Lake) -> None:
    """Nothing changes."""
    file = write_sales(Path(shop.root).parent / "Umsatz.csv", range(5))
    add(shop, file)
    before = shop.sales.read()
    again = add(shop, file)
    assert (again.accepted, again.dropped, again.quarantined) == (0, again.rows_in, 0)
    pd.testing.assert_frame_equal(shop.sales.read(), before)


def test_every_row_is_accounted_for(shop: Lake) -> None:
    """In all, by file, and by rule with its first row."""
    good = written(shop, HEADER + LINE + LINE, "Umsatz 1.csv")
    lines = "007;x;09.01.2023;2,5;eins\n007;x;32.01.2023;2,5;1\n007;x;16.01.2023;2,5;2\n"
    bad = written(shop, HEADER + lines, "Umsatz 2.csv")
    found = add(shop, good, bad, max_quarantined=0.5)
    assert (found.rows_in, found.accepted, found.dropped, found.quarantined) == (5, 2, 1, 2)
    assert [(each.name, each.rows_in, each.accepted, each.dropped, each.quarantined) for each in found.files] == [
        ("Umsatz 1.csv", 2, 1, 1, 0),
        ("Umsatz 2.csv", 3, 1, 0, 2),
    ]
    assert {(each.rule, each.rows, each.file, each.line) for each in found.rules} == {
        ("not_a_number", 1, "Umsatz 2.csv", 2),
        ("not_a_date", 1, "Umsatz 2.csv", 3),
    }
    assert all(each.detail for each in found.rules)
    assert found.listed["line"].tolist() == [2, 3]


def test_too_many_quarantined_rows_change_nothing(shop: Lake) -> None:
    """Nor does a check, whatever it finds; both say what they found."""
    file = written(shop, HEADER + LINE + "007;x;09.01.2023;2,5;eins\n")
    before = state(shop)
    refused = add(shop, file)
    assert (refused.is_refused, refused.quarantined, len(refused.listed)) == (True, 1, 1)
    checked = import_panel(shop, [file], now(), max_quarantined=1.0, is_check=True)
    assert (checked.is_refused, checked.accepted) == (False, 1)
    assert state(shop) == before
    assert not add(shop, file, max_quarantined=0.5).is_refused
    assert shop.sales.weeks() == [week(0)]


def test_new_stores_come_in_whatever_the_definition_says_of_the_inbox(tmp_path: Path) -> None:
    """An import is a person's command."""
    lake = shop_lake(tmp_path / "lake", replace(SHOP, new_ids="quarantine"))
    assert add(lake, written(lake, HEADER + LINE)).new_stores == 1
    assert lake.reference.stores()["name"].tolist() == ["007"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("Plan.csv", PLAN_HEADER + "007;x;02.01.2023;2,5\n", "No row of Plan.csv has units, and the lake has no sales"),
    ],
)
def test_files_without_sales_cannot_fill_a_lake(shop: Lake, name: str, text: str, says: str) -> None:
    """One sentence says what they lack."""
    with pytest.raises(DataError, match=says):
        add(shop, written(shop, text, name))
    assert shop.is_empty


def test_a_lake_without_a_panel_file_says_how_to_get_one(tmp_path: Path) -> None:
    """Nothing is guessed."""
    with pytest.raises(OptionError, match="has no panel file.*oj init"):
        add(Lake(tmp_path / "lake"), tmp_path / "sales.csv")


def test_an_outlier_comes_in_once_somebody_has_accepted_it(shop: Lake) -> None:
    """Its date and id are as the retailer writes them; its file is imported again."""
    add(shop, write_sales(Path(shop.root).parent / "Umsatz.csv", range(20)))
    row = f" {STORES[0]} ;{PRODUCTS[0]};{week(20):%d.%m.%Y};2,0;9999\n"
    file = written(shop, HEADER + row + f"007;{PRODUCTS[1]};{week(20):%d.%m.%Y};3,0;25\n", "Umsatz neu.csv")
    assert [each.rule for each in add(shop, file, max_quarantined=0.5).rules] == ["outlier"]
    with pytest.raises(DataError, match="Umsatz neu.csv are not in the lake's archive; import them again"):
        accept_override(shop, week(20), STORES[0], PRODUCTS[0], "a fair", "Ada", now())
    again = add(shop, file)
    assert (again.accepted, again.dropped, again.quarantined) == (1, 1, 0)


def test_names_and_attributes_come_with_the_sales(tmp_path: Path) -> None:
    """New ids get theirs, later weeks change them, an earlier week does not; a run takes them in as an import does."""
    definition = replace(SHOP, category="Gruppe", product_attributes=(Attribute("Gruppe", "text", "product group"),))
    columns = {**SALES.columns, "product_name": ("Name",), "Gruppe": ("Gruppe",)}
    lake = shop_lake(tmp_path / "lake", definition)
    lake.reference.write_panel(definition, [replace(SALES, columns=columns)])
    header = HEADER.replace("\n", ";Name;Gruppe\n")

    def products() -> list[list[object]]:
        table = lake.reference.products()
        return table.astype(object).where(table.notna(), None).to_numpy().tolist()

    first = "007;x;09.01.2023;2,5;1;=Tee;Warm\n007;y;09.01.2023;2,5;1;;Kalt\n"
    add(lake, written(lake, header + first, "Umsatz 1.csv"))
    assert products() == [["x", "=Tee", "Warm"], ["y", "y", "Kalt"]]
    earlier = "007;x;02.01.2023;2,5;1;Alt;\n007;y;02.01.2023;2,5;1;Eis;Alt\n"
    assert add(lake, written(lake, header + earlier, "Umsatz 2.csv")).notes == ()
    assert products() == [["x", "=Tee", "Warm"], ["y", "Eis", "Kalt"]]
    arrived = lake.inbox / "Umsatz 3.csv"
    arrived.write_text(header + "007;x;16.01.2023;2,5;1;Tee;\n007;z;16.01.2023;2,5;1;;\n")
    os.utime(arrived, (0, 0))
    rows = ingest.collect(lake, week(2))
    result = ingest.admit(lake, week(2), rows, ingest.validate(lake, rows), GateSpec(now()), now())
    assert products() == [["x", "Tee", "Warm"], ["y", "Eis", "Kalt"], ["z", "z", None]]
    assert "Gruppe is unknown for Artikel z: no row has it" in result.notes
