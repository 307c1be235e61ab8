"""A run that fails: its page says in one sentence what went wrong, and beside it what to do."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from prefect.states import Failed

from flows.artifacts.markdown import block, text
from flows.artifacts.posting import post
from forecasting.contracts.errors import DataError, ForecastingError, OptionError, SchemaError, WeekNotWhole

P = ParamSpec("P")
R = TypeVar("R")

WHO = {
    SchemaError: "Whoever produced the table must act.",
    DataError: "Whoever sent the data must act.",
    WeekNotWhole: "The missing stores must send their files, or somebody must accept that they do not: in this UI, by "
    "a custom run of the deployment with a reason in the field *Accept gaps*.",
    OptionError: "Whoever started the run must act.",
}
OPERATOR = "Whoever operates the forecast must act."


def explain_failure(run: Callable[P, R]) -> Callable[P, R]:
    """Let a flow that fails leave an artifact that says what to do; an error made to be read is all its state says.

    The flow's caller gets the error all the same: Prefect raises what a `Failed` state carries.
    """

    @wraps(run)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return run(*args, **kwargs)
        except ForecastingError as error:
            post("what-to-do", "What went wrong, and what to do", failure_markdown, error)
            return cast(R, Failed(message=str(error), data=error))
        except Exception as error:
            post("what-to-do", "What went wrong, and what to do", failure_markdown, error)
            raise

    return told


def failure_markdown(error: Exception) -> str:
    """What went wrong, who must act, and how."""
    if isinstance(error, ForecastingError):
        what, _, remedy = str(error).rpartition("; ")
        parts = [
            "## What went wrong",
            f"{text(what or remedy)}.",
            "## What to do",
            text(_sentence(remedy)),
            _who(error),
        ]
    else:
        parts = [
            "## What went wrong",
            "Something that nobody foresaw: the code, the machine or a library broke off with",
            block("", f"{type(error).__name__}: {error}"),
            "## What to do",
            "Run the week again: what was finished is taken up where it was left. If it fails again, report it with "
            "the last lines of the run's log.",
        ]
    return "\n\n".join([*parts, "Forecasts that were published before stay in force. Nothing has to be cleaned up."])


def _who(error: ForecastingError) -> str:
    return next((who for family, who in WHO.items() if isinstance(error, family)), OPERATOR)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
