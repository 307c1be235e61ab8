"""How an artifact reaches the run's page, or does not, at no harm to the run."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import ParamSpec

from prefect.artifacts import create_markdown_artifact

from flows.policy import stopwatch, tell

P = ParamSpec("P")


def post(key: str, description: str, compose: Callable[P, str], *args: P.args, **kwargs: P.kwargs) -> None:
    """Show what `compose` writes as a markdown artifact of the run that is under way."""

    def show() -> None:
        create_markdown_artifact(compose(*args, **kwargs), key=key, description=description)

    with _timed():
        tell(show)


def _timed() -> AbstractContextManager[None]:
    """What showing takes is a part of the run's time, once the run has a receipt."""
    clock = stopwatch.get(None)
    return clock.stage("artifacts") if clock else nullcontext()
