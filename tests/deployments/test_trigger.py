"""What `oj trigger` passes to the deployment; that it follows a run is tested in test_service.py."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import deployments.cli
import deployments.trigger
from deployments.trigger import TriggerOptions
from forecasting.cli import app


def parameters(monkeypatch: pytest.MonkeyPatch, *args: str) -> dict[str, Any]:
    """The parameters that `oj trigger` with these arguments hands to the deployment."""
    handed: list[dict[str, Any]] = []

    def keep(home: object, options: TriggerOptions, say: object) -> bool:
        handed.append(options.parameters)
        return True

    monkeypatch.setattr(deployments.trigger, "trigger", keep)
    result = CliRunner().invoke(app, ["trigger", *args])
    assert result.exit_code == 0, result.output
    return handed[0]


def test_only_given_options_are_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As JSON; the rest is the deployment's. A lake is named by its absolute path, as flows run elsewhere."""
    monkeypatch.chdir(tmp_path)
    assert parameters(monkeypatch) == {}
    given = parameters(monkeypatch, "--cutoff", "1992-04-16", "--horizon", "3", "--lake", "lake", "--watch")
    assert given == {"cutoff": "1992-04-16", "horizon": 3, "lake": str(tmp_path / "lake")}


def test_a_given_option_overrides_the_deployment_though_it_equals_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployment may have `deadline_hours: 30`; `--deadline-hours 18` must bring back the default of 18."""
    given = parameters(monkeypatch, "--deadline-hours", "18", "--below-minimum", "refuse", "--horizon", "2")
    assert given == {"deadline_hours": 18.0, "below_minimum": "refuse", "horizon": 2}
