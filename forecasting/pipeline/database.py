"""The stage that loads a database, once the forecast is published. A database that fails costs a run nothing."""

from datetime import date

from forecasting.best_effort import best_effort, sentence_of
from forecasting.contracts.errors import ForecastingError, RunError
from forecasting.storage.database import DatabaseLoad
from forecasting.storage.lake import Lake


def load_database(lake: Lake, database: str, anew: tuple[date, date] | None = None) -> DatabaseLoad:
    """Make the database agree with what is published.

    Args:
        database: a name in connections.toml, or `sqlite:///path`.
        anew: first and last of the weeks that are loaded whether they differ or not.

    Raises:
        ForecastingError: the database cannot be used or reached, or a file of the lake is damaged.
    """
    from forecasting.storage.database.load import load  # SQLAlchemy, which only a run with a database needs

    return load(lake, database, anew)


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
