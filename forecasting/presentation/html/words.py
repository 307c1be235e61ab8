"""Numbers, days and plans as people read them."""

from typing import Any

import pandas as pd

# A price that differs less from the recent one is the same price to a shopper.
NOTABLE_PRICE_CHANGE = 0.05


def day(value: Any) -> str:
    """A day in words: 16 April 1992."""
    stamp = pd.Timestamp(value)
    return f"{stamp.day} {stamp:%B} {stamp.year}"


def cartons(value: float) -> str:
    """Cartons, whole; a dash where unknown."""
    return "–" if pd.isna(value) else f"{value:,.0f}"


def signed(value: float) -> str:
    """A change in cartons, with its sign."""
    return "–" if pd.isna(value) else f"{value:+,.0f}".replace("-", "−")


def percent(share: float, places: int = 0) -> str:
    """A share in percent; a dash where unknown."""
    return "–" if pd.isna(share) else f"{100 * share:.{places}f} %".replace("-", "−")


def change(share: float | None) -> str:
    """A relative change with its sign; none that rounds to nothing."""
    if share is None or pd.isna(share):
        return "new"
    return f"{share:+.0%}".replace("%", "\u00a0%").replace("-", "−") if abs(share) >= 0.005 else "0\u00a0%"


def against(value: float, base: float) -> str:
    """How `value` compares with `base`, in words."""
    if not base:
        return "where there was nothing"
    change = value / base - 1
    if abs(change) < 0.005:
        return "as many as"
    return f"{100 * abs(change):.0f} % {'more' if change > 0 else 'fewer'} than"


def many(number: int, thing: str, things: str = "") -> str:
    """A number of things: 1 store, 1,204 stores."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def why(row: Any) -> str:
    """What of the plan may move a series: its price against the recent one, a promotion that begins or ends.

    Args:
        row: `price, deal, feat` of the forecast week; `recent_price` and `recent_promoted` of the last ones.
    """
    if pd.isna(row.price):
        return "no plan is known for that week"
    reasons = []
    if not pd.isna(row.recent_price) and abs(row.price / row.recent_price - 1) >= NOTABLE_PRICE_CHANGE:
        reasons.append(
            f"price {'down' if row.price < row.recent_price else 'up'} to ${row.price:,.2f} "
            f"from ${row.recent_price:,.2f}"
        )
    signs = [name for name, is_on in (("deal", row.deal), ("advert", row.feat)) if not pd.isna(is_on) and is_on]
    if signs:
        reasons.append(f"{' and '.join(signs)} planned")
    elif row.recent_promoted:
        reasons.append("no promotion after one of late")
    return "; ".join(reasons) or "nothing in the plan explains it"
