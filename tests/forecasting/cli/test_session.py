"""What every command runs in: errors and stops end in one sentence and an exit code."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from forecasting.cli import session
from forecasting.cli.session import by_name, run_to_its_end, user_errors, warn
from forecasting.contracts.errors import DataError, ForecastingError, OptionError, RunError

STOPPED = "Stopped. Published forecasts stay as they are; run again to go on.\n"
# Asks itself to stop twice, the second time while it cleans up.
TWICE = """
import os, signal
from forecasting.cli.session import user_errors
with user_errors():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()
    finally:
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()
"""


@pytest.fixture(autouse=True)
def handlers_are_restored() -> Iterator[None]:
    """The test runner's own handlers of signals come back."""
    before = {number: signal.getsignal(number) for number in session.STOPS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    "error",
    [
        OptionError("horizon=0", "is less than 1", "give 1 or more weeks"),
        DataError("The lake has no sales", "fill it first"),
        RunError("No worker came", "look"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_ours_ends_in_one_sentence(error: ForecastingError, capsys: pytest.CaptureFixture[str]) -> None:
    """On the error stream, with exit code 1 and no traceback."""
    with pytest.raises(SystemExit) as end, user_errors():
        raise error
    said = capsys.readouterr()
    assert (end.value.code, said.out, said.err) == (1, "", f"Error: {error}\n")


@pytest.mark.parametrize("stop", session.STOPS)
def test_a_stop_ends_in_one_sentence(stop: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    """As by Ctrl-C (130), by the system, by a terminal that closes."""
    with pytest.raises(SystemExit) as end, user_errors():  # noqa: PT012 - the handler runs after the call
        os.kill(os.getpid(), stop)
        signal.pause()
    assert (end.value.code, capsys.readouterr().err) == (128 + stop, STOPPED)


def test_a_stop_that_prefect_answers_by_an_error_of_its_own_stays_a_stop(capsys: pytest.CaptureFixture[str]) -> None:
    """What was raised on the way out does not matter."""

    def run() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
        except KeyboardInterrupt:
            raise ValueError("the API is gone") from None

    with pytest.raises(SystemExit) as end, user_errors():
        run()
    assert (end.value.code, capsys.readouterr().err) == (130, STOPPED)


def test_a_second_interrupt_ends_the_process_at_once() -> None:
    """Without what remains of the clean-up."""
    done = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "Stopped at once.\n")


def test_an_ignored_signal_stays_ignored() -> None:
    """As under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with user_errors():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_mistake_of_ours_is_no_error_of_the_user() -> None:
    """It keeps its traceback."""
    with pytest.raises(ZeroDivisionError), user_errors():
        _ = 1 / 0


def test_a_warning_goes_to_the_error_stream(capsys: pytest.CaptureFixture[str]) -> None:
    """The output of a command stays what it is."""
    warn("Prefect does not answer.")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "Prefect does not answer.\n")


@pytest.mark.parametrize("code", [0, 1, 130])
@pytest.mark.parametrize("is_delivered", [True, False])
def test_a_command_ends_with_its_exit_code(is_delivered: bool, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once where events are still under way, which the interpreter would wait for."""
    ends: list[int] = []

    def command() -> None:
        sys.exit(code)

    monkeypatch.setattr(session, "is_delivered", lambda: is_delivered)
    monkeypatch.setattr(os, "_exit", ends.append)
    with pytest.raises(SystemExit) as end:
        run_to_its_end(command)
    assert end.value.code == code
    assert ends == ([] if is_delivered else [code])


def test_values_are_read_by_name() -> None:
    """The last of a name counts."""
    assert by_name("set", ["price=1.99", "feat=1", "price=2"], float) == {"price": 2.0, "feat": 1.0}
    assert by_name("set", ["note=a=b"], str) == {"note": "a=b"}


@pytest.mark.parametrize("text", ["price", "price=", "price=cheap", ""])
def test_a_text_without_a_name_and_a_value_is_refused(text: str) -> None:
    """The option is named as it was given."""
    with pytest.raises(OptionError, match=f"--set {text} is not NAME=VALUE"):
        by_name("set", [text], float)
