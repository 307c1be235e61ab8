"""Errors in four families, by who must act.

- `SchemaError`: a table is not what its declaration says: whoever produced it must act.
- `DataError`: the table is well formed, but its content cannot be used: whoever sent it must act.
- `OptionError`: the caller asked for something that cannot be done: the caller must act.
- `RunError`: input and options are fine, the run itself could not end well: the operator must act.

Every error has fields, passes them to `super().__init__` and renders itself in `__str__`,
so that it survives pickling between a Dask worker and the driver.
"""

from dataclasses import dataclass, fields
from datetime import date, datetime


@dataclass(eq=False)
class ForecastingError(Exception):
    """Base of every error that a user is meant to read: one sentence, naming thing and remedy."""

    def __post_init__(self) -> None:
        super().__init__(*(getattr(self, field.name) for field in fields(self)))


@dataclass(eq=False)
class SchemaError(ForecastingError):
    """A table differs from its declaration."""

    table: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"The table {self.table!r} {self.problem}; {self.remedy}."


@dataclass(eq=False)
class DataError(ForecastingError):
    """The content of the input cannot be used."""

    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}."


@dataclass(eq=False)
class StorageError(ForecastingError):
    """A disk, a share or an object store refuses what was asked of it."""

    place: str
    problem: str

    @classmethod
    def of(cls, error: BaseException) -> "StorageError | None":
        """Return what the operating system or an object store says of a file; None of any other error."""
        if not isinstance(error, OSError) or not error.filename:
            return None
        return cls(str(error.filename), error.strerror or str(error))

    def __str__(self) -> str:
        return (
            f"{self.place} cannot be used ({self.problem}); see its owner, its mode, the free space and the "
            "credentials, then run again: what was published stays."
        )


@dataclass(eq=False)
class WeekNotWhole(ForecastingError):
    """Too few of the expected stores have reported the week; `stores` is the word for them."""

    week: date
    missing: tuple[str, ...]
    reporting: float
    min_reporting: float
    stores: str = "stores"

    def __str__(self) -> str:
        return (
            f"The week of {self.week} is not whole: {len(self.missing)} expected {self.stores} are missing or "
            f"incomplete ({'; '.join(self.missing)}), so {self.reporting:.0%} have reported where "
            f"{self.min_reporting:.0%} are needed; put their files into the inbox and run again, or go on without "
            "them with "
            '--accept-gaps "your reason".'
        )


@dataclass(eq=False)
class WeekWaiting(ForecastingError):
    """Stores that have not reported the week may still do so."""

    week: date
    missing: tuple[str, ...]
    deadline: datetime

    def __str__(self) -> str:
        return (
            f"The week of {self.week} is waiting until {self.deadline:%Y-%m-%d %H:%M %Z} for "
            f"{'; '.join(self.missing) or 'its first file'}; run it again when they have come, or let it go on "
            f'without them: oj accept --week {self.week} --reason "your reason".'
        )


@dataclass(eq=False)
class OptionError(ForecastingError):
    """An option has a value that cannot be used."""

    option: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.option} {self.problem}; {self.remedy}."


@dataclass(eq=False)
class RunError(ForecastingError):
    """The run could not end well, though input and options are fine."""

    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}."


@dataclass(eq=False)
class WeekBusy(ForecastingError):
    """Another run holds the lock of the week."""

    cutoff: date
    holder: str

    def __str__(self) -> str:
        return (
            f"The week of {self.cutoff} is busy: another run holds its lock ({self.holder}); "
            "wait for it to end, then run again."
        )


@dataclass(eq=False)
class TooManyFallbacks(ForecastingError):
    """More series failed than `error_threshold` allows."""

    cutoff: date
    failed: int
    error_threshold: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"The forecast of the week of {self.cutoff} is refused: at least {self.failed} series failed where "
            f"error_threshold allows {self.error_threshold} (for example {'; '.join(self.examples)}); look at "
            "these series, try another --model, or raise --error-threshold. What was published before is unchanged."
        )
