"""The commands of the service where none is up; with one they are tested in test_service.py."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import deployments.cli
from deployments.doctor import Finding
from forecasting.cli import app


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no lake."""
    monkeypatch.setenv("OJ_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OJ_LAKE", str(tmp_path / "lake"))
    monkeypatch.setattr(deployments.cli.console, "width", 80)
    return tmp_path / "home"


def oj(*args: str) -> Result:
    return CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1"})


def words(result: Result) -> str:
    return " ".join(result.output.split())


def test_there_is_nothing_to_take_down(home: Path) -> None:
    """That is no error: the service is down, as asked."""
    done = oj("down")
    assert done.exit_code == 0
    assert f"No service of {home} is up." in words(done)


def test_a_trigger_without_a_service_names_the_remedy(home: Path) -> None:
    """One sentence, no traceback."""
    done = oj("trigger")
    assert done.exit_code == 1
    assert "Error: No service is installed in" in words(done)
    assert "start one with `oj up`" in words(done)
    assert not home.exists()


def test_a_doctor_that_finds_something_ends_with_1(tmp_path: Path) -> None:
    """With the remedy under what is wrong; the rest is fine. Nothing is created."""
    done = oj("doctor")
    assert done.exit_code == 1
    assert "WRONG there is no lake at" in words(done)
    assert "→ name it with --lake, or fill one with `oj simulate`" in words(done)
    assert "ok no service is installed in" in words(done)
    assert list(tmp_path.iterdir()) == []


def test_findings_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Names from outside are no markup."""
    deployments.cli.show_findings([Finding("the lake [bold] can be written"), Finding("no [red]worker", "`oj up`")])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["ok", "the", "lake", "[bold]", "can", "be", "written"],
        ["WRONG", "no", "[red]worker"],
        ["→", "`oj", "up`"],
    ]
