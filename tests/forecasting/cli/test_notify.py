"""`oj notify`, as its users meet it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from forecasting.cli import app
from tests.sinks import http_sink, wait_long_for_targets, write_connections


def oj(*args: str) -> Result:
    return CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1"})


def test_notify_says_who_was_told_or_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person can see that notifications arrive, and what to do where they do not."""
    monkeypatch.setenv("OJ_HOME", str(tmp_path))
    wait_long_for_targets(monkeypatch)
    missing = oj("notify")
    assert missing.exit_code == 1
    assert "connections.toml names nobody to notify; write notify = " in missing.output
    with http_sink() as (port, documents):
        path = write_connections(tmp_path, f'notify = "json://127.0.0.1:{port}"')
        assert oj("notify", "Hello").output == "Told: 1 of 1.\n"
    assert [document["message"] for document in documents] == ["Hello"]
    assert "Error: 1 of 1 were not notified: target 1 (json) could not be reached" in oj("notify").output
    path.chmod(0o644)
    assert f"can be read by others (mode 0644); chmod 600 {path}" in oj("notify").output
