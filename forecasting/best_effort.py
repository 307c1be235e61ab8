"""Work that a run can do without: its errors are logged, and the run goes on. The one place that catches them all."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from forecasting.contracts.errors import ForecastingError

logger = logging.getLogger(__name__)


@dataclass
class Attempt:
    """A `with` block of work that may fail; `error` is what ended it, if anything did."""

    error: Exception | None = None


@contextmanager
def attempt() -> Iterator[Attempt]:
    """Keep the error that ends the `with` block, of whatever class. A stop by a person or a signal goes on."""
    tried = Attempt()
    try:
        yield tried
    except Exception as error:  # whatever a library, a disk or a server may raise
        tried.error = error


@contextmanager
def best_effort(trouble: str) -> Iterator[Attempt]:
    """Log the error that ends the `with` block as this trouble, and go on."""
    with attempt() as tried:
        yield tried
    if tried.error:
        logger.warning("%s: %s", trouble, sentence_of(tried.error))


def sentence_of(error: BaseException) -> str:
    """Return an error of ours as its sentence, and any other with its class."""
    return str(error) if isinstance(error, ForecastingError) else f"{type(error).__name__}: {error}"
