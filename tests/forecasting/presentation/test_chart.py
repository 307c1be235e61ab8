"""The chart of the headline."""

from forecasting.core.report import weekly_totals
from forecasting.presentation.chart import total_chart
from tests.forecasting.presentation.material import made_up


def test_the_chart_is_a_small_picture() -> None:
    """Whatever the units are called; the same totals give the same bytes."""
    totals = weekly_totals(made_up().report)
    picture = total_chart(totals, "cones")
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 50_000
    assert picture == total_chart(totals, "cones") != total_chart(totals, "cartons")
