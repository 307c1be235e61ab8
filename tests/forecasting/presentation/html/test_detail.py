"""How the series of a page are packed."""

import base64
import gzip
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.presentation import words
from forecasting.presentation.html.detail import TENTHS, _tenths, pack_detail
from tests.forecasting.presentation.material import made_up


@given(st.floats(0, 1e6))
def test_tenths_round_to_the_number_of_the_text(units: float) -> None:
    """Half up, half down or half to even: a browser shows the whole number that Python writes."""
    import numpy as np

    tenths = int(_tenths(np.array([units]))[0])
    assert f"{tenths / TENTHS:,.0f}" == words.number(units)
    assert tenths % TENTHS != TENTHS // 2
    assert abs(tenths / TENTHS - units) <= 0.15 + 1e-9


@pytest.mark.parametrize("units", [716.5, 717.45, 717.46, 717.5, 0.04])
def test_one_forecast_is_one_number_on_the_page(units: float) -> None:
    """In the headline's rounding, in the explorer and in the order table, its change included."""
    week = made_up()
    table = week.report.copy()
    table.loc[table["kind"] == "forecast", "units"] = units
    week = replace(week, report=table)
    detail = pack_detail(week)
    orders, part = (json.loads(gzip.decompress(base64.b64decode(text))) for text in (detail.orders, detail.parts[0]))
    assert f"{orders['expected'][0][0]:,.0f}" == words.number(units)
    assert f"{part['expected'][0][0][0] / TENTHS:,.0f}" == words.number(units)
    movers = {(mover.store, mover.product): mover for mover in week.movers(99)}
    place = [*zip(detail.index.store, detail.index.product, strict=True)].index((2, 1))
    assert words.signed(ORANGE_JUICE, orders["change"][place][0]) == words.signed(ORANGE_JUICE, movers[2, 1].change)
