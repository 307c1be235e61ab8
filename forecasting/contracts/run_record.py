"""The run record: one frozen object that collects the result of each stage of one run of one week.

A stage's result is a frozen dataclass that stands beside the stage. The record knows none of them by name, so that a
new stage changes no line here: `with_result` adds a result, `result` gives it back, also from a record that was read
from JSON.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import TypeAdapter

from forecasting.contracts.spec import ForecastSpec

Result = TypeVar("Result")


class Outcome(StrEnum):
    """How a run ended, or that it is under way."""

    RUNNING = "running"
    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True)
class RunFailure:
    """What ended a run: the name of the exception's class, and its sentence."""

    type: str
    sentence: str


@dataclass(frozen=True)
class RunRecord:
    """One run of one week.

    spec: what was asked for, with the model that was chosen.
    results: of the stages that have finished, as plain JSON values, by the name of the result's class.
    seconds_by_stage: wall seconds; `total` is the whole run.
    """

    spec: ForecastSpec
    started: datetime
    outcome: Outcome = Outcome.RUNNING
    results: Mapping[str, Any] = field(default_factory=dict)
    seconds_by_stage: Mapping[str, float] = field(default_factory=dict)
    error: RunFailure | None = None

    @property
    def week(self) -> date:
        """The run's cutoff: first day of the last observed week."""
        return self.spec.cutoff

    @property
    def run_id(self) -> str | None:
        """The identity of the forecast that the run published, or found published; None where there is none."""
        ids = (plain.get("run_id") for plain in self.results.values() if isinstance(plain, Mapping))
        return next(filter(None, ids), None)

    def result(self, kind: type[Result]) -> Result | None:
        """Return the result of this class; None where the run did not get so far."""
        plain = self.results.get(result_name(kind))
        return None if plain is None else adapter(kind).validate_python(plain)

    def with_result(self, result: object) -> "RunRecord":
        """Return the record with this result, in the place of one of the same class."""
        plain = adapter(type(result)).dump_python(result, mode="json")
        return replace(self, results={**self.results, result_name(type(result)): plain})

    def to_json(self) -> str:
        """Return the record as JSON text."""
        return adapter(RunRecord).dump_json(self, indent=2).decode()

    @staticmethod
    def from_json(text: str | bytes) -> "RunRecord":
        """Return the record that `to_json` wrote.

        Raises:
            ValueError: the text is not a run record.
        """
        return adapter(RunRecord).validate_json(text)


def adapter(kind: type[Result]) -> TypeAdapter[Result]:
    """Return what converts a frozen dataclass to plain JSON values and back."""
    return TypeAdapter(kind)


def result_name(kind: type) -> str:
    """Return the key of a result's class: `IngestResult` is `ingest_result`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
