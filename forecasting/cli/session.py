"""What every command runs in: errors and stops end in one sentence; a run has Prefect for as long as it lasts."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

import typer

from flows.ephemeral_server import Waiting, embedded_server, is_delivered
from forecasting.contracts.errors import ForecastingError, OptionError, StorageError

Value = TypeVar("Value")
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def user_errors() -> Iterator[None]:
    """End a user's mistake, or a stop by a signal, in one sentence instead of a traceback."""
    stops: list[int] = []

    def stop(number: int, _frame: object) -> None:
        if not stops:
            stops.append(number)
            # An exception, so that cluster and server are taken down on the way out.
            raise KeyboardInterrupt
        if number == signal.SIGINT:
            # A second Ctrl-C ends this process at once; its workers and its server notice and end too.
            os.write(sys.stderr.fileno(), b"Stopped at once.\n")
            os._exit(128 + number)

    for number in STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, stop)
    try:
        yield
    except ForecastingError as error:
        end_with(error)
    except BaseException as error:
        if not stops and (refused := StorageError.of(error)):
            end_with(refused)
        # Prefect may answer a stop by an error of its own.
        if not stops:
            raise
        typer.secho("Stopped. Published forecasts stay as they are; run again to go on.", fg=typer.colors.RED, err=True)
        sys.exit(128 + stops[0])


def end_with(error: ForecastingError) -> NoReturn:
    """Print the error, and end the command."""
    typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
    sys.exit(1)


@contextmanager
def prefect() -> Iterator[Waiting]:
    """Start a Prefect server for one run; yield a function that waits for it and returns why it does not answer."""
    # The errors that matter are printed here, in one sentence; Prefect's log keeps the rest.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL")
    logging.raiseExceptions = False  # a log that Prefect's API does not take
    with embedded_server() as why_not:
        yield why_not


def warn(sentence: str) -> None:
    """Print a warning; the command goes on."""
    typer.secho(sentence, fg=typer.colors.YELLOW, err=True)


def run_to_its_end(command: Callable[[], object]) -> None:
    """Run a command and exit when it has ended, without waiting for events that Prefect's API has not taken."""
    try:
        command()
    except SystemExit as end:
        for number in STOPS:
            signal.signal(number, signal.SIG_IGN)  # the command has ended: too late to stop it
        if not is_delivered():
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code if isinstance(end.code, int) else 0)
        raise


def by_name(option: str, given: list[str], read: Callable[[str], Value]) -> dict[str, Value]:
    """Return values by name from texts `NAME=VALUE`.

    Raises:
        OptionError: a text is not of that form.
    """
    found = {}
    for text in given:
        name, _, value = text.partition("=")
        refusal = OptionError(f"--{option} {text}", "is not NAME=VALUE", f"write it as --{option} price=…")
        if not value:
            raise refusal
        try:
            found[name] = read(value)
        except ValueError as error:
            raise refusal from error
    return found
