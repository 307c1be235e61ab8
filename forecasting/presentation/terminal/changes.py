"""What the command line says of what has changed since it was known before: corrected sales, moved forecasts."""

from typing import Any


def corrected(record: dict[str, Any]) -> str:
    """Of a receipt with corrections: how many rows, and of which weeks."""
    weeks = [f"{rows:,} of the week of {week}" for week, rows in record["corrected_by_week"].items()]
    return f"rows with other units than before: {', '.join(weeks)}\nboth are kept: what was known then, and now"


def moved(record: dict[str, Any]) -> str:
    """Of a receipt whose forecast replaced another: how far it moved, and where most."""
    found = record["moved"]
    if not (found["series_moved"] or found["series_new"] or found["series_gone"]):
        return "nothing by more than a carton, against the forecast that it replaces"
    lines = [
        f"{found['series_moved']:,} series by more than a carton; in all {found['total_before']:,.0f} → "
        f"{found['total_after']:,.0f}"
    ]
    if found["series_new"] or found["series_gone"]:
        lines.append(f"{found['series_new']:,} series are new, {found['series_gone']:,} are gone")
    lines += [
        f"most: store {most['store']} product {most['product']}, week of {most['week']}: "
        f"{most['before']:,.0f} → {most['after']:,.0f}"
        for most in found["biggest"][:1]
    ]
    return "\n".join(lines)
