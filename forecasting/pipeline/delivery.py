"""Deliver notifications to people through Apprise: mail, Slack, Teams, webhooks and others.

The URLs are those of the connection `notify`. They are read and used in a process of its own. It ends within seconds,
whatever a mail server does, and only fixed words come back from it: libraries log the addresses that they use, with
the tokens in them, and no such line may reach a log of ours.
"""

import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from forecasting.contracts.errors import OptionError, RunError
from forecasting.storage.connections import connections

CONNECTION = "notify"
SECONDS = 10.0  # for all targets together, which are served in parallel
SECONDS_TO_START = 20.0  # of the process and of Apprise, on a machine that is busy
MOST_CHARACTERS = 1500  # Discord refuses 2,000


@dataclass(frozen=True)
class Delivery:
    """How the delivery of a message ended.

    targets: how many `connections.toml` names.
    failures: one clause for each target that was not reached, with nothing of its address but the scheme.
    """

    targets: int = 0
    failures: tuple[str, ...] = ()

    @property
    def reached(self) -> int:
        return self.targets - len(self.failures)

    def require_all(self) -> None:
        """Check that every target was reached.

        Raises:
            RunError: one was not.
        """
        if self.failures:
            raise RunError(
                f"{len(self.failures)} of {self.targets} were not notified: {'; '.join(self.failures)}",
                "correct the entry in connections.toml and try it with `oj notify`",
            )


def notify(title: str, body: str) -> Delivery:
    """Send a message to every target of the connection `notify`; do nothing where there is no such entry.

    Never raises, and takes `SECONDS` at most once its process has started.

    Args:
        title: one line.
        body: a few lines of plain text. What a chat would read as a link or a mention is made harmless.
    """
    try:
        targets = len(connections(CONNECTION))
    except OptionError as error:
        return Delivery(1, (str(error).rstrip("."),))
    if not targets:
        return Delivery()
    message = {"title": _plain(" ".join(title.split())), "body": _plain(body)[:MOST_CHARACTERS], "seconds": SECONDS}
    return Delivery(targets, _deliver(message, targets))


def _deliver(message: dict[str, Any], targets: int) -> tuple[str, ...]:
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "forecasting.pipeline.delivery"],
            input=json.dumps(message).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS + SECONDS_TO_START,
            check=True,
        )
        return tuple(json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return (f"the process that delivers it failed ({type(error).__name__})",) * targets


def _plain(text: str) -> str:
    """Return the text without what a chat acts on even in plain text: labelled links, mentions, control characters.

    Slack reads <!channel>, Discord @everyone, Teams [label](address).
    """
    text = "".join(character for character in text if character.isprintable() or character == "\n")
    text = text.replace("<", "‹").replace(">", "›").replace("@", "@\u200b")
    return re.sub(r"\](?=[(\[:])", "] ", text)


def main() -> None:
    """Deliver the message that is JSON on standard input; write the failures as JSON to standard output."""
    # It takes half a second, or more: imported in this process alone, before the seconds of the targets begin.
    import apprise  # noqa: F401

    message = json.load(sys.stdin)
    answers = _Answers()
    # What libraries log in this process goes nowhere else.
    logging.getLogger("apprise").handlers, logging.getLogger("apprise").propagate = [answers], False
    targets = [_Target(url, message) for url in connections(CONNECTION)]
    for target in targets:
        target.start()
    deadline = time.monotonic() + message["seconds"]
    for target in targets:
        target.join(max(deadline - time.monotonic(), 0))
    failures = [
        f"target {number} ({target.scheme}) {target.failure}{answers.of.get(target.ident, '')}"
        for number, target in enumerate(targets, start=1)
        if target.failure
    ]
    sys.stdout.write(json.dumps(failures))
    sys.stdout.flush()
    os._exit(0)  # without waiting for a target that hangs


class _Target(threading.Thread):
    """The delivery to one target; `failure` is None once it has taken the message."""

    def __init__(self, url: str, message: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self._url, self._message = url, message
        scheme = re.match(r"([a-z]{1,20})://", url)  # what stands there without :// may be anything
        self.scheme = scheme[1] if scheme else "no scheme"
        self.failure: str | None = f"did not answer within {message['seconds']:.0f} s"

    def run(self) -> None:
        from apprise import Apprise, AppriseAsset, NotifyFormat

        target = Apprise.instantiate(self._url, asset=AppriseAsset(app_id="Orange juice forecast", app_url=""))
        if target is None:
            self.failure = "is no URL that Apprise knows; see https://appriseit.com for its form"
            return
        target.notify_format = NotifyFormat.TEXT  # whatever it would render by itself
        one = Apprise()
        one.add(target)
        taken = one.notify(self._message["body"], self._message["title"], body_format=NotifyFormat.TEXT)
        self.failure = None if taken else "could not be reached, or refused the message"


class _Answers(logging.Handler):
    """The HTTP status with which a target refused, by thread; nothing else of Apprise's log is used."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[int | None, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if status := re.search(r"\berror=(\d{3})\b", record.getMessage()):
            self.of[record.thread] = f" (HTTP {status[1]})"


if __name__ == "__main__":
    main()
