"""The stage that loads a database. The forecast is published by then: no database costs a run anything."""

import logging
from typing import Any

from forecasting.contracts.errors import ForecastingError
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)


def load(lake: Lake, database: str) -> dict[str, Any]:
    """Make the database agree with what is published, or say why not.

    Returns:
        For the receipt: `target`, and `weeks` and `rows` (by table) that were loaded, or `error`, one sentence.
    """
    try:
        from forecasting.storage.database.load import load as load_database  # SQLAlchemy, for who has a database

        return load_database(lake, database).as_dict()
    except ForecastingError as error:
        sentence = str(error)
    except Exception as error:
        # Its words are not ours, and may hold an address.
        sentence = f"The database {database} could not be loaded ({type(error).__name__}); try oj load."
    logger.warning("The forecast is published; the database is not loaded: %s", sentence)
    return {"target": database, "error": sentence}


def in_words(database: dict[str, Any]) -> str:
    """What became of a load, without its full stop."""
    if "error" in database:
        return str(database["error"]).rstrip(".")
    rows, weeks = database["rows"], database["weeks"]
    if not rows and not weeks:
        return f"{database['target']} agrees with the files already"
    of_tables = ", ".join(f"{name} {count:,}" for name, count in rows.items())
    of_weeks = f"{len(weeks)} week{'' if len(weeks) == 1 else 's'}"
    return f"{database['target']} has new rows of {of_weeks} ({of_tables or 'none, only fewer'})"
