"""Notifications, delivered to real servers on this machine."""

import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

import pytest

from forecasting.contracts.errors import RunError
from forecasting.pipeline import delivery as module
from forecasting.pipeline.delivery import Delivery, notify
from tests.sinks import hanging_sink, http_sink, mail_sink, wait_long_for_targets, write_connections

HOSTILE = (
    "<script>alert(1)</script> <!channel> @everyone [win](http://evil) **bold** {{ 7 * 7 }} :smile: \\n \x1b[31m\x00"
)
HARMLESS = (
    "‹script›alert(1)‹/script› ‹!channel› @\u200beveryone [win] (http://evil) **bold** {{ 7 * 7 }} :smile: \\n [31m"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service home of one's own, on a machine that may be busy."""
    monkeypatch.setenv("OJ_HOME", str(tmp_path))
    wait_long_for_targets(monkeypatch)
    return tmp_path


def test_nothing_is_sent_where_nobody_is_named(home: Path) -> None:
    """No file and no entry are the same: the result says that nothing happened."""
    assert notify("title", "body") == Delivery(0)
    write_connections(home, 'warehouse = "postgresql://db"')
    assert notify("title", "body") == Delivery(0)


def test_everybody_gets_plain_text(home: Path) -> None:
    """A webhook and a mailbox get the same lines; what data smuggle in stays text, and the subject is one line."""
    with http_sink() as (http, documents), mail_sink() as (mail, messages):
        urls = [f"json://127.0.0.1:{http}/token", f"mailto://127.0.0.1:{mail}?from=oj@local.test&to=me@local.test"]
        write_connections(home, f"notify = {urls}")
        assert notify("Week of 1992-04-16\r\nBcc: all@local.test", f"First line.\n{HOSTILE}") == Delivery(2)
    subject = "Week of 1992-04-16 Bcc: all@\u200blocal.test"
    assert [(document["title"], document["message"]) for document in documents] == [
        (subject, f"First line.\n{HARMLESS}")
    ]
    (message,) = messages
    assert message["Subject"] == subject
    assert message["Bcc"] is None
    assert message.get_content_type() == "text/plain"
    assert isinstance(message, EmailMessage)
    assert message.get_content().strip().splitlines() == ["First line.", HARMLESS]


def test_what_fails_is_named_without_its_secrets(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """One hangs, one refuses, one is down, one is no URL, and one, named last, gets it while the first still hangs."""
    monkeypatch.setenv("PYTHONDEVMODE", "1")  # more talk on standard error, which must lead nowhere
    caplog.set_level(logging.DEBUG)
    with (
        ThreadPoolExecutor(1) as aside,
        mail_sink(refuses=True) as (mail, refused),
        http_sink(403) as (forbidden, _),
        http_sink() as (http, documents),
    ):
        with hanging_sink() as hanging:
            user = "user:s3cret@127.0.0.1"
            urls = [
                f"mailto://{user}:{hanging}?from=oj@local.test&to=me@local.test",
                f"mailto://127.0.0.1:{mail}?from=oj@local.test&to=s3cret@local.test",
                f"json://{user}:{forbidden}/s3cret",
                f"json://{user}:1/s3cret",
                "s3cret:[",
                f"json://127.0.0.1:{http}",
            ]
            write_connections(home, f"notify = {urls}")
            asked = aside.submit(notify, "title", "body")
            while not documents and not asked.done():
                time.sleep(0.05)
            assert not asked.done()
        delivery = asked.result()  # what hung is gone
    assert (delivery.targets, delivery.reached) == (6, 1)
    assert [document["message"] for document in documents] == ["body"]
    assert refused == []
    assert delivery.failures == (
        "target 1 (mailto) could not be reached, or refused the message",
        "target 2 (mailto) could not be reached, or refused the message",
        "target 3 (json) could not be reached, or refused the message (HTTP 403)",
        "target 4 (json) could not be reached, or refused the message",
        "target 5 (no scheme) is no URL that Apprise knows; see https://appriseit.com for its form",
    )
    with pytest.raises(RunError, match="5 of 6 were not notified: target 1 .*; correct the entry"):
        delivery.require_all()
    printed = capfd.readouterr()
    assert "s3cret" not in caplog.text + printed.out + printed.err + str(delivery)


def test_a_target_that_hangs_costs_its_seconds(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it would go on, the result says that it did not answer."""
    monkeypatch.setattr(module, "SECONDS", 1.0)
    with hanging_sink() as hanging:
        write_connections(home, f'notify = "mailto://127.0.0.1:{hanging}?from=oj@local.test&to=me@local.test"')
        assert notify("title", "body") == Delivery(1, ("target 1 (mailto) did not answer within 1 s",))


def test_a_file_that_others_can_read_is_not_used(home: Path) -> None:
    """A run is not stopped by it; the caller is given the remedy."""
    write_connections(home, 'notify = "json://user:s3cret@127.0.0.1:1"', 0o644)
    delivery = notify("title", "body")
    assert delivery.reached == 0
    assert "chmod 600" in delivery.failures[0]
    assert "s3cret" not in str(delivery)


def test_a_process_that_fails_reaches_nobody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever becomes of the process that delivers, the run goes on."""
    write_connections(home, 'notify = ["json://127.0.0.1:1", "json://127.0.0.1:2"]')
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert notify("title", "body") == Delivery(2, ("the process that delivers it failed (FileNotFoundError)",) * 2)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert notify("title", "body").reached == 0


def test_a_long_body_is_cut(home: Path) -> None:
    """A chat that refuses long messages gets the beginning."""
    with http_sink() as (http, documents):
        write_connections(home, f'notify = "json://127.0.0.1:{http}"')
        notify("title", "x" * 5000)
    assert documents[0]["message"] == "x" * 1500
