"""The ledger: which stores were expected and have come, and what became of each of their rows."""

import logging
from typing import Any

from flows.artifacts.markdown import count, facts, table, text
from flows.artifacts.posting import post

logger = logging.getLogger(__name__)

# What the gate decided, to somebody who does not know its words.
STATUS = {
    "open": "not decided yet",
    "waiting": "stores are still waited for",
    "whole": "every expected store has reported",
    "closed with gaps": "enough of the expected stores have reported",
    "accepted with gaps": "fewer stores than needed have reported, and somebody accepted that",
}


def show_ledger(receipt: dict[str, Any]) -> None:
    """What came in, from a receipt that has the ledger."""
    ledger = receipt["ledger"]
    missing = missing_stores(ledger)
    logger.info(
        "%d of %s have reported%s.",
        len(set(ledger["expected"]) - set(ledger["missing"]) - {int(store) for store in ledger["incomplete"]}),
        count(len(ledger["expected"]), "expected store"),
        f"; missing: {missing}" if missing else "",
    )
    logger.info(
        "%s came in: %s accepted, %s dropped as duplicates, %s quarantined.",
        count(receipt["rows_in"], "row"),
        *(f"{receipt[name]:,}" for name in ("rows_accepted", "rows_dropped", "rows_quarantined")),
    )
    for week, rows in receipt.get("corrected_by_week", {}).items():
        logger.info("%s of the week of %s corrected what was collected before.", count(rows, "row"), week)
    for store, lacking in ledger["incomplete"].items():
        logger.warning("Store %s lacks %s.", store, lacking)
    for rule, rows in receipt["quarantined_by_rule"].items():
        logger.warning("%s quarantined: %s.", count(rows, "row"), rule)
    post("ledger", "What was expected of the week, and what came in", ledger_markdown, receipt)


def missing_stores(ledger: dict[str, Any]) -> str:
    """The missing stores by name."""
    return ", ".join(f"store {store}" for store in ledger["missing"])


def ledger_markdown(receipt: dict[str, Any]) -> str:
    """The ledger as two tables: of stores, and of rows."""
    ledger = receipt["ledger"]
    stores = [
        ("Status", f"{text(ledger['status'])}: {STATUS.get(ledger['status'], '')}"),
        ("Stores expected", f"{len(ledger['expected'])} that sold something in the four weeks before"),
        ("Stores received", f"{len(ledger['received'])}"),
        ("Stores missing", f"{len(ledger['missing'])}: {missing_stores(ledger)}" if ledger["missing"] else "none"),
    ]
    stores += [(f"Store {store} lacks", text(lacking)) for store, lacking in ledger["incomplete"].items()]
    if accepted := ledger.get("accepted"):
        stores += [
            ("Accepted by", text(accepted["by"])),
            ("because", text(accepted["why"])),
            ("on", text(accepted["when"])),
        ]
    quarantined = [(f"of these: {text(rule)}", rows) for rule, rows in receipt["quarantined_by_rule"].items()]
    late = [(f"Late files, week of {week}", f"{files}") for week, files in receipt.get("late_files", {}).items()]
    noted = [("Inbox", text(note)) for note in receipt.get("inbox_notes", [])]
    corrected = [
        (f"of these: corrections of the week of {week}", rows)
        for week, rows in receipt.get("corrected_by_week", {}).items()
    ]
    rows = [
        ("**Came in**", receipt["rows_in"]),
        ("Accepted", receipt["rows_accepted"]),
        *corrected,
        ("Dropped as duplicates", receipt["rows_dropped"]),
        ("Quarantined", receipt["rows_quarantined"]),
        *quarantined,
    ]
    return "\n\n".join(
        [
            f"## Week of {ledger['week']}",
            facts([*stores, *late, *noted]),
            "## Rows",
            table(["", "rows"], [(name, f"{number:,}") for name, number in rows], ["left", "right"]),
            "Every row that came in is accepted, dropped or quarantined. Quarantined rows are kept with the rule that "
            "they broke, in the lake's folder `quarantine`.",
        ]
    )
