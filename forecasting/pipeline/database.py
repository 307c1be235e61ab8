"""The stage that loads a database, once the forecast is published. A database that fails costs a run nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from forecasting.best_effort import best_effort, sentence_of
from forecasting.contracts.errors import ForecastingError, RunError
from forecasting.storage.lake import Lake


@dataclass(frozen=True)
class DatabaseLoad:
    """What a database load did: the weeks it changed and the rows it loaded by table, or the error."""

    target: str
    weeks: tuple[date, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None


def load_database(lake: Lake, database: str, anew: tuple[date, date] | None = None) -> DatabaseLoad:
    """Make the database agree with what is published.

    Args:
        database: a name in connections.toml, or `sqlite:///path`.
        anew: first and last of the weeks that are loaded whether they differ or not.

    Raises:
        ForecastingError: the database cannot be used or reached, or a file of the lake is damaged.
    """
    from forecasting.storage.database.load import load  # SQLAlchemy, which only a run with a database needs

    loaded = load(lake, database, anew)
    return DatabaseLoad(loaded.database, loaded.weeks, loaded.rows)


def try_database(lake: Lake, database: str) -> DatabaseLoad:
    """Load the database; return the error in the result where that fails."""
    with best_effort("The forecast is published, but the database is not loaded") as tried:
        try:
            return load_database(lake, database)
        except ForecastingError:
            raise
        except Exception as error:
            # The message of a foreign error may hold an address with a password.
            raise RunError(
                f"The database {database} could not be loaded ({type(error).__name__})", "try oj load"
            ) from error
    return DatabaseLoad(database, error=sentence_of(tried.error) if tried.error else None)
