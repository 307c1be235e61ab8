"""What the server is told of us: the work pool, the deployments of prefect.yaml, the automations."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound

from deployments.api import WEEKLY, Api
from deployments.home import POOL, Home
from forecasting.contracts.errors import RunError
from forecasting.storage.code_version import package_fingerprint

HERE = Path(__file__).parent
DEPLOYMENTS = [WEEKLY, "backfill/backfill", "backtest/backtest", "train/train", "notify/notify"]


def code_version() -> str:
    """The version of a deployment: the package's, and the fingerprint of its code."""
    return f"{version('orange-juice-forecasting')}+{package_fingerprint()}"


def create_pool(api: Api) -> None:
    """Create the pool, which must be there before deployments name it; one that is there takes up runs again."""
    try:
        api.client.read_work_pool(POOL)
    except ObjectNotFound:
        api.client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    api.pause_pool(False)


def deploy(home: Home) -> None:
    """Create or update the deployments, by Prefect's own command.

    Raises:
        RunError: it failed; the error has its last line.
    """
    log = home.log("deploy")
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", "prefect.yaml"]
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(  # noqa: S603 - our own interpreter and file
            command,
            cwd=HERE,
            env=home.environment("client") | {"OJ_VERSION": code_version()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise RunError("The deployments of prefect.yaml could not be created", f"see {log}")


def create_automations(api: Api) -> None:
    """Create the automations of automations.yaml, or update those of the same name."""
    content: dict[str, Any] = yaml.safe_load((HERE / "automations.yaml").read_text(encoding="utf-8"))
    for wanted in content["automations"]:
        automation = AutomationCore.model_validate(wanted)
        found = api.client.read_automations_by_name(automation.name)
        if found:
            api.client.update_automation(found[0].id, automation)
        else:
            api.client.create_automation(automation)
