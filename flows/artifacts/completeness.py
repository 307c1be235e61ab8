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


def show_completeness(record: dict[str, Any]) -> None:
    """What came in, from a receipt that has the ledger."""
    completeness = record["completeness"]
    missing = missing_stores(completeness)
    logger.info(
        "%d of %s have reported%s.",
        len(
            set(completeness["expected"])
            - set(completeness["missing"])
            - {int(store) for store in completeness["incomplete"]}
        ),
        count(len(completeness["expected"]), "expected store"),
        f"; missing: {missing}" if missing else "",
    )
    logger.info(
        "%s came in: %s accepted, %s dropped as duplicates, %s quarantined.",
        count(record["rows_in"], "row"),
        *(f"{record[name]:,}" for name in ("rows_accepted", "rows_dropped", "rows_quarantined")),
    )
    for week, rows in record.get("corrected_by_week", {}).items():
        logger.info("%s of the week of %s corrected what was collected before.", count(rows, "row"), week)
    for store, lacking in completeness["incomplete"].items():
        logger.warning("Store %s lacks %s.", store, lacking)
    for rule, rows in record["quarantined_by_rule"].items():
        logger.warning("%s quarantined: %s.", count(rows, "row"), rule)
    post("completeness", "What was expected of the week, and what came in", completeness_markdown, record)


def missing_stores(completeness: dict[str, Any]) -> str:
    """The missing stores by name."""
    return ", ".join(f"store {store}" for store in completeness["missing"])


def completeness_markdown(record: dict[str, Any]) -> str:
    """The ledger as two tables: of stores, and of rows."""
    completeness = record["completeness"]
    stores = [
        ("Status", f"{text(completeness['status'])}: {STATUS.get(completeness['status'], '')}"),
        ("Stores expected", f"{len(completeness['expected'])} that sold something in the four weeks before"),
        ("Stores received", f"{len(completeness['received'])}"),
        (
            "Stores missing",
            f"{len(completeness['missing'])}: {missing_stores(completeness)}" if completeness["missing"] else "none",
        ),
    ]
    stores += [(f"Store {store} lacks", text(lacking)) for store, lacking in completeness["incomplete"].items()]
    if accepted := completeness.get("accepted"):
        stores += [
            ("Accepted by", text(accepted["by"])),
            ("because", text(accepted["why"])),
            ("on", text(accepted["when"])),
        ]
    quarantined = [(f"of these: {text(rule)}", rows) for rule, rows in record["quarantined_by_rule"].items()]
    late = [(f"Late files, week of {week}", f"{files}") for week, files in record.get("late_files", {}).items()]
    noted = [("Inbox", text(note)) for note in record.get("inbox_notes", [])]
    corrected = [
        (f"of these: corrections of the week of {week}", rows)
        for week, rows in record.get("corrected_by_week", {}).items()
    ]
    rows = [
        ("**Came in**", record["rows_in"]),
        ("Accepted", record["rows_accepted"]),
        *corrected,
        ("Dropped as duplicates", record["rows_dropped"]),
        ("Quarantined", record["rows_quarantined"]),
        *quarantined,
    ]
    return "\n\n".join(
        [
            f"## Week of {completeness['week']}",
            facts([*stores, *late, *noted]),
            "## Rows",
            table(["", "rows"], [(name, f"{number:,}") for name, number in rows], ["left", "right"]),
            "Every row that came in is accepted, dropped or quarantined. Quarantined rows are kept with the rule that "
            "they broke, in the lake's folder `quarantine`.",
        ]
    )
